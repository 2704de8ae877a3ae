"""The People page: who signed in with which role, what an admin does about it, programs, and the audit log."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import streamlit as st

from w365.entrance import SignInMode
from w365.service.people.roles import PersonView, list_people
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.wording import full_time, local_zone
from w365.ui.people.audit_log import show_audit_log
from w365.ui.people.person import show_person
from w365.ui.people.tokens import show_programs
from w365.ui.people.words import SOURCE_WORDS, say_role

_HEIGHT = 420
"""Pixels of the table."""
_FEW = 11
"""Up to so many people it is only as high as they are."""


def show_people(context: PageContext) -> None:
    if context.service.settings.sign_in is SignInMode.LOCAL:
        st.info(
            "Nobody signs in here: whoever uses this machine is an admin. The setting **W365_SIGN_IN** changes that."
        )
    if people := list_people(context.service, context.actor):
        _show_table(context, people)
    show_programs(context)
    st.subheader("Audit log", anchor=False)
    show_audit_log(context)


def _show_table(context: PageContext, people: Sequence[PersonView]) -> None:
    zone = local_zone()
    options: dict[str, Any] = {"hide_index": True, "column_config": _COLUMNS, "alt": "People"}
    options["height"] = _HEIGHT if len(people) > _FEW else "content"
    key = f"people-{hash(tuple(view.person.id for view in people))}"
    rows = [_row(view, zone) for view in people]
    chosen = st.dataframe(rows, key=key, on_select="rerun", selection_mode="single-row", **options)
    places: list[int] = chosen["selection"]["rows"]
    if places and places[0] < len(people):
        show_person(context, people[places[0]])
    else:
        st.caption("Choose a person to give a role, to sign them out or to disable them.")


def _row(view: PersonView, zone: dt.tzinfo) -> dict[str, str | int]:
    return {
        "Name": view.person.name,
        "Role": say_role(view),
        "Role from": SOURCE_WORDS[view.source],
        "Last seen": full_time(view.person.last_seen_at, zone),
        "Open sessions": view.open_sessions,
        "Login": view.person.login,
        "Subject": view.person.subject,
    }


_COLUMNS = {
    name: st.column_config.Column(name, width=width)
    for name, width in (
        ("Name", 160),
        ("Role", 85),
        ("Role from", 150),
        ("Last seen", 160),
        ("Open sessions", 110),
        ("Login", 220),
        ("Subject", 330),
    )
}
