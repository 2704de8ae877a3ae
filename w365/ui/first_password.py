"""The first password of a new customer's admin: in this person's session until it is noted, and nowhere else.

What is under way is kept in an object that lies in the session before the provider is asked: a click meanwhile makes
Streamlit leave the script at its next word to the session, and what comes back then must not be lost with it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from w365.errors import W365Error
from w365.model import Actor
from w365.service.onboarding import Onboarded
from w365.ui import places
from w365.ui.wording import plain

TITLE = "Onboard a customer"
_KEY = "onboarding_attempt"


@dataclass(slots=True)
class Attempt:
    """What somebody asked for and how it ended; `error` and `done` are empty while it is under way.

    `account` is the id of the account in the CRM, `texts` what was entered.
    """

    actor: str
    account: str
    texts: Mapping[str, str]
    done: Onboarded | None = None
    error: W365Error | None = None
    is_noted: bool = False


def begin_attempt(actor: Actor, account: str, texts: Mapping[str, str]) -> Attempt:
    attempt = Attempt(actor.name, account, texts)
    st.session_state[_KEY] = attempt
    return attempt


def attempt_of(actor: Actor) -> Attempt | None:
    """The latest attempt of this person in this session; what another one asked for here is forgotten."""
    attempt: Attempt | None = st.session_state.get(_KEY)
    if attempt is not None and attempt.actor != actor.name:
        forget_attempt()
        return None
    return attempt


def holds_password(actor: Actor) -> bool:
    """Whether one waits to be noted; nothing may take its place before."""
    attempt = attempt_of(actor)
    return bool(attempt and attempt.done and attempt.done.credentials)


def forget_attempt() -> None:
    st.session_state.pop(_KEY, None)


def remind_of_password(actor: Actor, title: str) -> None:
    """On every page but its own, while a password waits to be noted."""
    attempt = attempt_of(actor)
    if attempt and attempt.done and attempt.done.credentials and title != TITLE:
        with st.container(horizontal=True, vertical_alignment="center", key="password-reminder"):
            said = f"The first password of **{plain(attempt.done.name)}** waits to be noted. It cannot be shown again."
            st.warning(said, width="stretch")
            st.page_link(places.ONBOARDING, label=":primary[Show it]")


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
