"""Who looks at a page, and what is shown to whoever is not signed in."""

from __future__ import annotations

import datetime as dt
import hmac
from contextlib import suppress
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from w365.api.browsers import COOKIE
from w365.api.tokens import browser_of
from w365.api.way_back import FAILED, Failure
from w365.caller import HEADER
from w365.config import Settings, load_settings
from w365.entrance import SignInMode
from w365.errors import SessionRanOut, SignedOut, W365Error
from w365.model import Actor, Role
from w365.service import Service
from w365.service.access import local_user
from w365.service.people.identity import Identity, is_entra, read_claims, read_proxy_identity
from w365.service.people.sessions import enter, sign_out
from w365.ui.frame import app_runtime
from w365.ui.frame.wording import plain

_OPENED, _KNOWN, _FAILED, _KEPT = "w365_opened", "w365_known", "w365_failed", "w365_kept"
_DRAWN, _ASKED = "w365_drawn", "w365_asked"
_LOOK_SECONDS = 3
_TYPED = (str, int, float, dt.date, dt.time)


def name_identity_provider() -> dict[str, Any]:
    """What Streamlit's own sign-in is to know, in the shape of its secrets file; nothing where people do not use it."""
    try:
        settings = load_settings()
    except W365Error:
        return {}  # the page says what is wrong
    provider = settings.people.provider
    if provider is None:
        return {}
    # Whoever shares the browser must not come in by the session that somebody left open at the provider.
    prompt = "select_account" if is_entra(provider.issuer) else "login"
    return {
        "auth": {
            "redirect_uri": f"{settings.public_url}/oauth2callback",
            "cookie_secret": cookie_secret(settings),
            "client_id": provider.client_id,
            "client_secret": provider.client_secret,
            "server_metadata_url": provider.metadata_url,
            "client_kwargs": {"scope": "openid profile email", "prompt": prompt},
        }
    }


def cookie_secret(settings: Settings) -> str:
    """What Streamlit signs its cookies with: the same in every replica, or none would accept another's."""
    return hmac.digest(settings.secret_key.encode(), b"sign-in cookie", "sha256").hex()


def base_path() -> str:
    """Below which path Streamlit serves everything: nothing, or with a slash before it."""
    path = str(st.get_option("server.baseUrlPath")).strip("/")
    return f"/{path}" if path else ""


def identify(service: Service) -> Actor:
    """Say who looks, by the session of this browser; raises AccessError where nobody may look."""
    if service.settings.sign_in is SignInMode.LOCAL:
        return local_user()
    browser = browser_here()
    if not browser:
        raise SignedOut("This browser keeps no cookies of this site.", do="Allow them, then reload the page.")
    actor = enter(service, _read_identity(service), browser)
    st.session_state[_KNOWN] = actor.name
    return actor


def browser_here() -> str:
    """The digest of this browser's cookie; empty where it keeps none."""
    return browser_of(str(st.context.cookies.get(COOKIE, "")))


def address_here() -> str:
    """From where the page is looked at, as the doors wrote it down when it was opened; empty outside a page."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return ""
    return str(st.context.headers.get(HEADER, ""))


def find_role() -> Role | None:
    """The role of who looks, None for nobody; without waiting for the service, while nobody is refused."""
    service = app_runtime.opened_service()
    if service is None:
        return Role.ADMIN
    try:
        return identify(service).role
    except SessionRanOut as error:
        return Role(error.role)  # the page may stay as it is, and what leads to others with it
    except W365Error:
        return None


def _read_identity(service: Service) -> Identity:
    provider, now = service.settings.people.provider, service.clock()
    if provider is None:
        opened = st.session_state.setdefault(_OPENED, now)
        user, groups, name = (
            st.context.headers.get(header, "") for header in service.settings.entrance.identity_headers
        )
        return read_proxy_identity(user, name, groups, opened)
    if not st.user.is_logged_in:
        raise SignedOut(_why_nobody(), do="Sign in with your organisation's account.")
    claims = {name: value for name, value in st.user.to_dict().items() if name not in ("is_logged_in", "tokens")}
    return read_claims(claims, provider, now)


def _why_nobody() -> str:
    """Say why nobody is signed in; how a sign-in failed stands in the address once."""
    if failed := st.query_params.pop(FAILED, ""):
        st.session_state[_FAILED] = failed
    return _FAILURES.get(st.session_state.get(_FAILED, ""), "You are not signed in.")


_FAILURES: dict[str, str] = {
    Failure.REFUSED: "The identity provider did not sign you in.",
    Failure.UNUSABLE: "The sign-in did not work: it took too long, or was not begun in this browser.",
}


def show_visitor(service: Service, actor: Actor) -> None:
    """Say in the sidebar who is signed in, and offer to sign out."""
    with st.sidebar:
        who = f"{plain(actor.name)} · {actor.role.name.lower()}"
        if actor.session is None:
            st.caption(f"{who} of this machine")
            return
        st.caption(f"Signed in as **{plain(actor.name)}** · {actor.role.name.lower()}")
        offer_sign_out(service, actor, "sign-out")


def offer_sign_out(service: Service, actor: Actor, key: str) -> None:
    st.button("Sign out", key=key, icon=":material/logout:", on_click=_leave, args=(service, actor))


def _leave(service: Service, actor: Actor) -> None:
    with suppress(SignedOut):
        sign_out(service, actor)
    del st.session_state[_KNOWN]
    if service.settings.sign_in is SignInMode.OIDC:
        st.logout()


def ask_to_sign_in(service: Service) -> None:
    """Offer the way in. A page that somebody was signed in to keeps what was typed, and goes on by itself."""
    st.session_state.pop(_DRAWN, None)
    _keep_typed()
    if _KNOWN not in st.session_state:
        if service.settings.sign_in is SignInMode.OIDC:
            st.button("Sign in", type="primary", on_click=st.login)
        else:
            _offer_another_person(service)
        return
    _offer_tab(service)


def ask_to_go_on(service: Service) -> None:
    """Ask for a sign-in on a page that stays as it is; draws the page anew where it may not stay, or goes on."""
    why = why_kept(service)
    if why is None:
        st.rerun()
    told = f"**{plain(why.what)}** {plain(why.do)}"
    # Before a dialog too, which takes a press on anything else for its end, and wherever the page is scrolled to.
    st.toast(f"{told} [Sign in](./)", duration="infinite")
    st.session_state[_ASKED] = True
    st.warning(told)
    _offer_tab(service)


def end_asking(outcome: str) -> None:
    """Say what became of it, as the first of the page's line of freshness: there it takes the question's place."""
    if st.session_state.pop(_ASKED, False):
        st.toast(outcome)


def keep_drawn(page: str, role: Role) -> None:
    """Note which page was drawn for which role."""
    st.session_state[_DRAWN] = (page, role)


def why_kept(service: Service, page: str = "") -> SessionRanOut | None:
    """Why the page that was drawn may stay though nobody is signed in any more; None: it may not.

    It may where time alone ended the session, and its person may still do what they might when it was drawn.
    """
    drawn, role = st.session_state.get(_DRAWN, ("", None))
    try:
        identify(service)
    except SessionRanOut as error:
        return error if error.role == role and page in ("", drawn) else None
    except W365Error:
        pass
    return None


def show_way_in(service: Service) -> None:
    """To somebody who may not come in: the subject, exactly as it goes into W365_ADMINS, and the way to another one."""
    with suppress(W365Error):
        st.code(_read_identity(service).subject, language=None)
    _offer_another_person(service)


def _offer_another_person(service: Service) -> None:
    if service.settings.sign_in is SignInMode.OIDC:
        st.button("Sign in as somebody else", on_click=st.logout)
    elif address := service.settings.people.sign_out_url:
        st.link_button("Sign in as somebody else", address)


def _offer_tab(service: Service) -> None:
    st.link_button("Sign in", "./", type="primary", help="In a tab of its own; then this page goes on.")
    _wait_for_change(service, _standing(service))


@st.fragment(run_every=_LOOK_SECONDS)
def _wait_for_change(service: Service, seen: tuple[type, int]) -> None:
    if _standing(service) != seen:
        st.rerun()


def _standing(service: Service) -> tuple[type, int]:
    """How it is with who looks: whether they are signed in, or why not, and what they may do."""
    try:
        actor = identify(service)
    except W365Error as error:
        return type(error), error.role if isinstance(error, SessionRanOut) else 0
    return Actor, actor.role.value


def _keep_typed() -> None:
    """Keep what widgets hold though none is drawn now; Streamlit forgets it otherwise."""
    typed = {
        key: value
        for key, value in st.session_state.items()
        if isinstance(value, _TYPED) and not isinstance(value, bool) and not str(key).startswith("w365_")
    }
    st.session_state[_KEPT] = st.session_state.get(_KEPT, {}) | typed


def put_back_typed() -> None:
    """Fill in what was typed before the session ended; a browser shows what is set in the run that draws it."""
    for key, value in st.session_state.get(_KEPT, {}).items():
        st.session_state[key] = value


def forget_typed() -> None:
    """Of a page that was drawn to its end: it holds what was put back."""
    st.session_state.pop(_KEPT, None)
