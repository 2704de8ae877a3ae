"""What an admin does about the person chosen on the People page; what takes something away is confirmed first."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from w365.model import Role
from w365.service.access import RoleSource, role_of
from w365.service.people.roles import PersonView, disable_person, enable_person, end_sessions, set_role
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.wording import counted, full_time, local_zone, plain
from w365.ui.people.changes import ask_first, carry_out
from w365.ui.people.words import SOURCE_WORDS, name_role, say_role

_BY_SIGN_IN = ""
_WORDS = (_BY_SIGN_IN, *(role.name.lower() for role in Role))


def show_person(context: PageContext, view: PersonView) -> None:
    person, is_fixed = view.person, view.source is RoleSource.SETTINGS
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(plain(person.name), width="content", anchor=False)
            st.badge(say_role(view), color="gray" if view.role is None else "blue")
        st.caption(plain(" · ".join(part for part in _facts(view) if part)))
        st.code(person.subject, language=None, wrap_lines=True)
        if is_fixed:
            st.caption("The settings name this person in W365_ADMINS: an admin as long as they do.")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            _offer_role(context, view, is_fixed=is_fixed)
            _offer_sign_out(context, view)
            _offer_access(context, view, is_fixed=is_fixed)


def _facts(view: PersonView) -> tuple[str, ...]:
    seen, sessions = full_time(view.person.last_seen_at, local_zone()), counted(view.open_sessions, "open session")
    return view.person.login, f"role from {SOURCE_WORDS[view.source]}", f"last seen {seen}", sessions


def _offer_role(context: PageContext, view: PersonView, *, is_fixed: bool) -> None:
    person = view.person
    claimed = name_role(role_of(replace(person, given_role=None, is_disabled=False), context.service.settings.people))
    given = person.given_role.name.lower() if person.given_role else _BY_SIGN_IN
    word = st.selectbox(
        "Role",
        _WORDS,
        _WORDS.index(given),
        format_func=lambda word: f"as the sign-in says ({claimed})" if word == _BY_SIGN_IN else word,
        width=260,
        disabled=is_fixed,
        key=f"role-{person.id}-{given}",
    )
    role = None if word == _BY_SIGN_IN else Role[word.upper()]
    if not st.button("Give this role", disabled=is_fixed or role == person.given_role, key=f"give-{person.id}"):
        return
    then = role_of(replace(person, given_role=role), context.service.settings.people)

    def give() -> str:
        set_role(context.service, context.actor, person.id, role)
        return f"{person.name} now has the role {name_role(then)}."

    if (then or 0) >= (view.role or 0):
        carry_out(give)
    else:
        told = f"**{plain(person.name)}** will have the role {name_role(then)}, not {name_role(view.role)} any more, "
        ask_first("Take the role away?", f"{told}in every open tab at once.", "Give this role", give)


def _offer_sign_out(context: PageContext, view: PersonView) -> None:
    name = view.person.name

    def sign_out() -> str:
        ended = end_sessions(context.service, context.actor, view.person.id)
        return f"{name} was signed out of {counted(ended, 'session')}."

    if st.button("Sign out everywhere…", disabled=not view.open_sessions, key=f"sign-out-{view.person.id}"):
        told = f"**{plain(name)}** is signed out in every browser, and can sign in again. What was typed there stays."
        ask_first("Sign out everywhere?", told, "Sign out", sign_out)


def _offer_access(context: PageContext, view: PersonView, *, is_fixed: bool) -> None:
    person = view.person

    def let_in() -> str:
        enable_person(context.service, context.actor, person.id)
        return f"{person.name} can sign in again."

    def shut_out() -> str:
        disable_person(context.service, context.actor, person.id)
        return f"{person.name} is disabled and signed out everywhere."

    if person.is_disabled:
        if st.button("Let in again", disabled=is_fixed, key=f"enable-{person.id}"):
            carry_out(let_in)
    elif st.button("Disable…", disabled=is_fixed, key=f"disable-{person.id}"):
        told = f"**{plain(person.name)}** is signed out everywhere and gets in no more. What they decided stays."
        ask_first("Disable this person?", told, "Disable", shut_out)
