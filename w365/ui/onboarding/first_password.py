"""The first password of a new customer's admin: in this person's session until it is noted, and nowhere else.

A click while the provider is waited for starts the page anew on a second thread; the first one goes on to its next
word to Streamlit and ends there. So the answer goes into an object that both know: it lies in the session before the
provider is asked, nothing is said to Streamlit until the answer, and meanwhile no other one takes its place.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import streamlit as st

from w365.errors import W365Error
from w365.model import Actor
from w365.service.onboarding.complete import Onboarded
from w365.ui.frame import pages
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.wording import plain

_KEY = "onboarding_attempt"
_LOOK_SECONDS = 1


@dataclass(slots=True)
class Attempt:
    """What somebody asked for and how it ended; neither `done` nor `error` is set where nobody foresaw the end.

    `account` is the id of the account in the CRM, `texts` what was entered.
    """

    actor: str
    account: str
    texts: Mapping[str, str]
    done: Onboarded | None = None
    error: W365Error | None = None
    is_noted: bool = False
    is_over: bool = False


def try_once(actor: Actor, account: str, texts: Mapping[str, str], work: Callable[[], Onboarded]) -> None:
    """Do `work`, whose outcome the session keeps; nothing is done where another attempt is open."""
    if is_busy(actor):
        return
    attempt = Attempt(actor.name, account, texts)
    st.session_state[_KEY] = attempt
    try:
        attempt.done = work()
    except W365Error as error:
        attempt.error = error
    finally:
        attempt.is_over = True


def attempt_of(actor: Actor) -> Attempt | None:
    """The latest attempt of this person in this session; what another one asked for here is forgotten."""
    attempt: Attempt | None = st.session_state.get(_KEY)
    if attempt is not None and attempt.actor != actor.name:
        forget_attempt()
        return None
    return attempt


def is_busy(actor: Actor) -> bool:
    """Whether an attempt is under way, or its password waits to be noted: nothing may take its place."""
    attempt = attempt_of(actor)
    return attempt is not None and (not attempt.is_over or bool(attempt.done and attempt.done.credentials))


@st.fragment(run_every=_LOOK_SECONDS)
def show_under_way(attempt: Attempt) -> None:
    """Wait for an attempt that another run of the page has begun."""
    if attempt.is_over:
        st.rerun(scope="app")
    st.info("The customer is being created. This may take a minute; stay in this tab.")


def forget_attempt() -> None:
    st.session_state.pop(_KEY, None)


def remind_of_password(context: PageContext, page: pages.Page) -> None:
    """On every page but its own, while a password waits to be noted."""
    attempt = attempt_of(context.actor)
    if attempt and attempt.done and attempt.done.credentials and page != pages.ONBOARDING:
        with st.container(horizontal=True, vertical_alignment="center", key="password-reminder"):
            reminder = (
                f"The first password of **{plain(attempt.done.name)}** waits to be noted. It cannot be shown again."
            )
            st.warning(reminder, width="stretch")
            st.page_link(pages.ONBOARDING.path, label=":primary[Show it]")


def show_password(attempt: Attempt) -> None:
    """Show how the new admin signs in, until the person has noted it."""
    done = attempt.done
    if done is None or done.credentials is None:
        return
    user = done.credentials.user_name
    with st.container(border=True, key="first-password"):
        st.markdown(
            "**The admin's first sign-in, shown this once.** It is stored nowhere. Note it before you reload or close "
            "this tab; afterwards it can only be reset at the provider."
        )
        left, right = st.columns(2)
        left.caption("User name")
        left.code(user if "@" in user else f"{user}@{done.domain}", language=None)
        right.caption("Password")
        right.code(done.credentials.password, language=None)
        st.button("I have noted it", type="primary", on_click=_remove, args=(attempt,), key="password-noted")


def _remove(attempt: Attempt) -> None:
    if attempt.done is not None:
        attempt.done = dataclasses.replace(attempt.done, credentials=None)
        attempt.is_noted = True
