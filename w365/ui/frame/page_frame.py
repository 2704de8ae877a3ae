"""The frame of every page: who looks, what is wrong, how old the data is, and the last resort when something breaks."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from w365.api.tokens import mint_token
from w365.errors import AlreadyRunning, InputError, NotAllowed, SignedOut, StaleEdit, W365Error
from w365.model import Actor, Role
from w365.service import Service
from w365.service.access import authorize, require
from w365.service.insight.statistics import count_backlog
from w365.service.people.sessions import OwnSession, end_own_session, list_own_sessions
from w365.ui.frame import app_runtime
from w365.ui.frame.extras import Slot, show_extras
from w365.ui.frame.freshness import Source, read_sources
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.pages import Page
from w365.ui.frame.runs_of_pages import end_emptied, leave_as_drawn
from w365.ui.frame.visitor import (
    ask_to_go_on,
    ask_to_sign_in,
    browser_here,
    end_asking,
    forget_typed,
    identify,
    keep_drawn,
    offer_sign_out,
    put_back_typed,
    show_visitor,
    show_way_in,
    why_kept,
)
from w365.ui.frame.wording import clock_time, counted, local_zone, plain

_log = logging.getLogger(__name__)

_FLASH, _TOAST, _ROLE = "w365_flash", "w365_toast", "w365_role"
_TOKEN = "w365_token"  # noqa: S105 - the name of a place, not a secret
_LOOK_SECONDS = 20
FRESHNESS = "freshness"
"""The part of every page that says what waits and how old the data is, for those that change it to run it again."""


def open_page(page: Page) -> None:
    """Open a page: guard, title, age of the data; whatever breaks inside is told to the person instead of shown.

    An error ends the page with its sentence. Fragments, which run again without their page, wrap
    their own body in `report_errors`.
    """
    context = None
    with report_errors():
        context = _show_frame(page)
    if context is None:
        end_emptied()
    with report_errors():
        page.load()(context)
        forget_typed()


def _show_frame(page: Page) -> PageContext:
    head = st.container(horizontal=True, vertical_alignment="center", gap="small")
    head.title(page.title, width="content", anchor=False)
    service = app_runtime.service()
    actor = _identify(service, page)
    show_visitor(service, actor)
    require(actor, page.role)
    if service.settings.is_demo:
        head.badge("Demo: fictional data from servers on this machine", color="orange")
    with head:
        _show_account(service, actor)
    _freshness_line(service, actor)
    _show_flash()
    context = PageContext(service, actor, _token(service, actor))
    show_extras(Slot.HEAD, context, page)
    return context


@st.fragment
def _show_account(service: Service, actor: Actor) -> None:
    """Say who is signed in where a window is too narrow for the sidebar too, and behind it in which browsers."""
    if actor.session is None:
        return
    who = f"{plain(actor.name)} · {actor.role.name.lower()}"
    account = st.popover(who, key="account", icon=":material/account_circle:", on_change="rerun")
    if not account.open:
        return
    with account, report_errors():
        offer_sign_out(service, actor, "sign-out-here")
        st.markdown("**Signed in at**")
        for session in list_own_sessions(service, actor):
            _show_session(service, actor, session)


def _show_session(service: Service, actor: Actor, session: OwnSession) -> None:
    now, zone = service.clock(), local_zone()
    where = "This browser" if session.is_here else "Another browser"
    begun, used = clock_time(session.begun_at, now, zone), clock_time(session.used_at, now, zone)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{where}  \n:gray[:small[Since {plain(begun)}, last used {plain(used)}]]", width="content")
        if not session.is_here and st.button("Sign out there", key=f"end-session-{session.id}"):
            with show_refusals():
                end_own_session(service, actor, session.id)
                st.rerun(scope="fragment")


def _identify(service: Service, page: Page) -> Actor:
    """Say who looks at the page; whoever is not signed in is asked to."""
    try:
        actor = identify(service)
    except SignedOut as error:
        if why_kept(service, page.path):
            leave_as_drawn(FRESHNESS)
        with st.container():
            end_asking(error.what)
        show_error(error)
        ask_to_sign_in(service)
        end_emptied()
    except NotAllowed as error:
        show_error(error)
        show_way_in(service)
        end_emptied()
    put_back_typed()
    if st.session_state.get(_ROLE, actor.role) is not actor.role:
        toast_next_time(f"Your role was changed: you are {actor.role.name.lower()} now.")
    st.session_state[_ROLE] = actor.role
    keep_drawn(page.path, actor.role)
    return actor


@contextmanager
def report_errors() -> Iterator[None]:
    """Show what goes wrong inside as sentences; Streamlit's own control flow passes.

    Where somebody ended the session the whole page is drawn anew, also from a part of it: it offers the way in, and no
    data stays. Where time did, it stays as it is with what is typed on it, and asks for a sign-in.
    """
    try:
        yield
    except SignedOut:
        if why_kept(app_runtime.service()):
            leave_as_drawn(FRESHNESS)
        st.rerun()
    except W365Error as error:
        _log.info("reported: %s %s", error, error.detail)
        show_error(error)
    except Exception as error:  # noqa: BLE001 - the page frame's last resort: detail to the log, a reference to the person
        say_unforeseen(error)


def say_uncaught(error: Exception) -> bool:
    """Tell the person what a widget's callback could not do, before the page itself ran; True: it was told."""
    if not isinstance(error, W365Error):
        return say_unforeseen(error)
    show_error(error)
    if isinstance(error, SignedOut):
        ask_to_sign_in(app_runtime.service())
    return True


def say_unforeseen(error: Exception) -> bool:
    """Tell the person that something nobody foresaw happened, and the log what; True: Streamlit need not show it."""
    reference = uuid.uuid4().hex[:8]
    _log.error("page failed, reference %s", reference, exc_info=error)
    st.error(
        f"**Something went wrong that nobody foresaw (reference {reference}).** What was saved before is safe. "
        "Reload the page; if it happens again, look for the reference in the app's log."
    )
    return True


def show_error(error: W365Error) -> None:
    """Show what happened, what was kept and what to do."""
    text = f"**{plain(error.what)}** {plain(' '.join(part for part in (error.kept, error.do) if part))}"
    if isinstance(error, (AlreadyRunning, StaleEdit)):
        st.info(text)
    elif isinstance(error, (NotAllowed, SignedOut)):
        st.warning(text)
    else:
        st.error(text)


@contextmanager
def show_refusals(places: Mapping[str, DeltaGenerator] | None = None) -> Iterator[None]:
    """Show a refusal where it happens, in place of what would come after it; the rest of the page goes on.

    What is wrong with a field of a form is shown at the place of that field.
    """
    try:
        yield
    except SignedOut:
        raise
    except W365Error as error:
        place = (places or {}).get(error.field) if isinstance(error, InputError) else None
        with place or nullcontext():
            show_error(error)


def say_next_time(text: str) -> None:
    """Keep a sentence for the next run of the page; one shown right before a rerun would be lost."""
    st.session_state[_FLASH] = text


def toast_next_time(text: str) -> None:
    """As `say_next_time`, for what is to be seen wherever the page is scrolled to."""
    st.session_state[_TOAST] = text


def _show_flash() -> None:
    if text := st.session_state.pop(_FLASH, ""):
        st.success(text)
    if text := st.session_state.pop(_TOAST, ""):
        st.toast(text)


def _token(service: Service, actor: Actor) -> str:
    """One token as long as the session lasts: a changing one would reset the grid's columns. The grid renews it."""
    minted_for, token = st.session_state.get(_TOKEN, (None, ""))
    if minted_for != actor:
        token = mint_token(service.settings.secret_key, actor, browser_here())
        st.session_state[_TOKEN] = (actor, token)
    return str(token)


def renew_token() -> None:
    """Draw the page with another token, or, where its person is signed in no more, with the way in."""
    st.session_state.pop(_TOKEN, None)
    st.rerun()


@st.fragment(run_every=_LOOK_SECONDS, key=FRESHNESS)
def _freshness_line(service: Service, actor: Actor) -> None:
    with report_errors():
        try:
            now_role = authorize(service, actor, Role.VIEWER, "look").role
        except SignedOut:
            ask_to_go_on(service)
            return
        end_asking("You are signed in again.")
        if now_role is not actor.role:
            st.rerun()
        sources = read_sources(service, actor)
        now, zone = service.clock(), local_zone()
        backlog = count_backlog(service, actor)
        needs = counted(backlog, "provider account needs a decision", "provider accounts need a decision")
        st.caption(" · ".join([f"**{needs}**", *(plain(source.line(now, zone)) for source in sources)]))
        _show_trouble([source for source in sources if source.is_loud])


def _show_trouble(sources: list[Source]) -> None:
    for source in sources:
        if source.problem:
            st.error(f"**{plain(source.name)} could not be synced.** {plain(source.problem)}")
        else:
            st.warning(f"**The data of {plain(source.name)} is more than a day old.** Sync it on the Providers page.")
