"""A person signs in for an application: how it stands on the card, and the dialog that leads to Microsoft."""

from __future__ import annotations

from urllib.parse import urlsplit

import streamlit as st

from w365.api.sign_in_return import PATH
from w365.model import Role
from w365.service.connecting.sign_ins import SignInView, begin_sign_in, forget_sign_in, get_sign_in
from w365.ui.frame import pages
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import say_next_time, show_refusals
from w365.ui.frame.wording import clock_time, local_zone, plain

_BEGUN = "w365_sign_in_begun"
_DEMO = (
    "In the demo a server on this machine plays Microsoft, under a certificate of its own: the browser warns of it, "
    "and here you may go on."
)


def show_sign_in(context: PageContext, sign_in: SignInView | None) -> None:
    """Say who signed in and until when it holds, loudly where it does not."""
    if sign_in is None:
        return
    if sign_in.problem:
        st.error(plain(sign_in.problem))
    elif sign_in.warning:
        st.warning(plain(sign_in.warning))
    if sign_in.signed_in_at and sign_in.lapses_at:
        zone = local_zone()
        when = clock_time(sign_in.signed_in_at, context.service.clock(), zone)
        until = f"{sign_in.lapses_at.astimezone(zone):%Y-%m-%d}"
        st.caption(plain(f"{sign_in.person} signed in {when}. Unused, the sign-in lapses on {until}."))


def offer_sign_in(context: PageContext, sign_in: SignInView | None, target: str, name: str) -> None:
    """A button that opens the sign-in where a connection needs a person, for admins."""
    if sign_in is None or context.actor.role < Role.ADMIN:
        return
    label = "Sign in again…" if sign_in.person else "Sign in…"
    if st.button(label, type="primary" if sign_in.problem else "secondary", key=f"sign-in-{target}"):
        st.session_state.pop(_BEGUN, None)
        st.dialog(plain(f"Sign in to {name}"), width="medium")(_sign_in)(context, target)


def redirect_address(settings_url: str, page_url: str) -> str:
    """Where the browser comes back to: below the address that people use, with whatever base path it has."""
    if settings_url:
        return settings_url + PATH
    parts = urlsplit(page_url)
    base = parts.path.removesuffix("/").removesuffix(_page_path())
    return f"{parts.scheme}://{parts.netloc}{base.rstrip('/')}{PATH}"


def is_taken_by_microsoft(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "https" or parts.hostname == "localhost"


def _page_path() -> str:
    return "/" + pages.PROVIDERS.path.rsplit("/", 1)[-1].removesuffix(".py")


def _sign_in(context: PageContext, target: str) -> None:
    back = redirect_address(context.service.settings.public_url, st.context.url or "")
    st.markdown(
        "Sign in once with a person of your tenant who may use Partner Center (Admin agent), **with multi-factor "
        "authentication**. From then on syncs run on that sign-in, which renews itself whenever it is used."
    )
    st.markdown("This address must stand among the application's redirect addresses in Entra ID, as type *Web*:")
    st.code(back, language=None)
    if not is_taken_by_microsoft(back):
        st.warning("Microsoft takes plain http for localhost only: open the app as http://localhost:… or by https.")
    if context.service.settings.is_demo:
        st.caption(_DEMO)
    with show_refusals():
        with st.spinner("Asking where to sign in…"):
            address = st.session_state.get(_BEGUN) or begin_sign_in(context.service, context.actor, target, back)
        st.session_state[_BEGUN] = address
        st.link_button("Continue to Microsoft", address, type="primary")
        st.caption("It opens a tab of its own. When it says “Signed in”, close that tab and press Done.")
        _end(context, target)


def _end(context: PageContext, target: str) -> None:
    with st.container(horizontal=True):
        if st.button("Done"):
            st.session_state.pop(_BEGUN, None)
            st.rerun()
        sign_in = get_sign_in(context.service, context.actor, target)
        if sign_in is not None and sign_in.person and st.button("Forget the sign-in"):
            _forget(context, target, sign_in)


def _forget(context: PageContext, target: str, sign_in: SignInView) -> None:
    forget_sign_in(context.service, context.actor, target)
    say_next_time(plain(f"The sign-in of {sign_in.person} was forgotten. Withdraw it in Entra ID as well."))
    st.rerun()
