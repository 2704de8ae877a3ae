"""Provider accounts: facets, the grid, and the record of the row that a person opens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from w365.api.asked import LONGEST_TEXT
from w365.matching.words import REASON_WORDS, STATUS_WORDS
from w365.model import Actor, Reason, Role, Status
from w365.service import Service
from w365.service.export import Subject
from w365.service.mapping import Decided
from w365.service.providers import list_providers
from w365.service.records import count, read_record
from w365.ui.accounts_view import ALL, DRIFTED, GONE, View, first_view, read_view
from w365.ui.desk import Desk
from w365.ui.downloads import download_button
from w365.ui.grid import Look, Told, show_grid
from w365.ui.palette import is_dark
from w365.ui.record import show_record
from w365.ui.shell import told
from w365.ui.wording import plain, short

_VIEW, _RECORD, _TOUCHED, _SAID = "accounts_view", "accounts_record", "accounts_touched", "accounts_said"
_STATUS, _PROVIDER, _REASON, _TEXT = "accounts_status", "accounts_provider", "accounts_reason", "accounts_text"

SUBJECTS = (Subject.MAPPINGS, Subject.UNMAPPED, Subject.CONFLICTS, Subject.CANDIDATES, Subject.DECISIONS)

_ANY = ""
"""The first choice of a facet. None would read as nothing chosen yet."""

_ROOM = """<style>
[data-testid="stMainBlockContainer"] { padding-left: 2rem; padding-right: 2rem; padding-bottom: 1rem; }
</style>"""
"""The grid takes the window, and nothing above it scrolls away."""


@st.fragment
def show_accounts(desk: Desk) -> None:
    """Draw the page. A saved cell, a facet or a letter in the search runs this part only."""
    st.html(_ROOM)
    with told():
        providers = {one.id: one.name for one in list_providers(desk.service, desk.actor)}
        view = _current_view(desk, providers)
        st.query_params.from_dict(view.parameters())
        _show_facets(desk, view, providers)
        look = Look(view.rows_query(), desk.token, desk.actor.role >= Role.ANALYST, st.session_state.get(_TOUCHED, ""))
        show_grid(look, scheme="dark" if is_dark() else "light", on_told=_hear)
        if said := st.session_state.pop(_SAID, ""):
            st.toast(plain(said))
        if _RECORD in st.session_state:
            _open_record(desk, st.session_state[_RECORD])


def _current_view(desk: Desk, providers: Mapping[int, str]) -> View:
    """What the person chose; else what the address says; else what they chose before they left the page."""
    read = None if _STATUS in st.session_state else read_view(st.query_params.to_dict(), providers)
    view = read or st.session_state.get(_VIEW) or first_view(_amounts(desk.service, desk.actor, View()))
    st.session_state[_VIEW] = view
    return view


def _show_facets(desk: Desk, view: View, providers: Mapping[int, str]) -> None:
    _fill_in(view)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        _status_facet(_amounts(desk.service, desk.actor, view), _parts(desk, view), view)
        if len(providers) > 1:
            _choice("Provider", _PROVIDER, {_ANY: "All providers", **providers}, 122)
        _choice("Reason", _REASON, {_ANY: "All reasons", **REASON_WORDS}, 122)
        st.text_input(
            "Search",
            key=_TEXT,
            type="search",
            live="200ms",
            placeholder="Name, domain, id, account",
            label_visibility="collapsed",
            on_change=_chosen,
            width=160,
        )
        download_button(desk, SUBJECTS, view.filter(), place="accounts")


def _parts(desk: Desk, view: View) -> dict[str, int]:
    """What is a part of the list, but no status; shown where there is any."""
    plain_view = replace(view, status=None, gone=False, drifted=False)
    wanted = {DRIFTED: replace(plain_view, drifted=True), GONE: replace(plain_view, gone=True)}
    return {name: count(desk.service, desk.actor, one.filter()) for name, one in wanted.items()}


def _status_facet(amounts: Mapping[Status, int], parts: Mapping[str, int], view: View) -> None:
    labels: dict[str, str] = {ALL: f"All {sum(amounts.values()):,}"}
    labels |= {status: f"{STATUS_WORDS[status]} {amounts[status]:,}" for status in amounts}
    labels |= {name: f"{name.title()} {amount:,}" for name, amount in parts.items() if amount or view.facet == name}
    st.segmented_control(
        "Status",
        list(labels),
        format_func=labels.__getitem__,
        key=_STATUS,
        required=True,
        label_visibility="collapsed",
        on_change=_chosen,
    )


def _choice(label: str, key: str, words: Mapping[Any, str], width: int) -> None:
    st.selectbox(
        label,
        list(words),
        format_func=words.__getitem__,
        key=key,
        label_visibility="collapsed",
        on_change=_chosen,
        width=width,
    )


def _fill_in(view: View) -> None:
    """Set the widgets to the view at every run: their labels hold counts, and a new label would lose the choice."""
    st.session_state[_STATUS] = view.facet
    st.session_state[_PROVIDER] = view.provider or _ANY
    st.session_state[_REASON] = view.reason or _ANY
    st.session_state[_TEXT] = view.text


def _chosen() -> None:
    """Take over what the widgets say now; runs before the page does."""
    state = st.session_state
    status, provider, reason = state[_STATUS], state.get(_PROVIDER), state[_REASON]
    state[_VIEW] = View(
        status=Status(status) if status in list(Status) else None,
        provider=provider or None,
        reason=Reason(reason) if reason else None,
        text=(state[_TEXT] or "")[:LONGEST_TEXT],
        gone=status == GONE,
        drifted=status == DRIFTED,
    )


def _amounts(service: Service, actor: Actor, view: View) -> dict[Status, int]:
    """How many rows each status has under the other facets: exactly what the grid would show."""
    order = (Status.UNMAPPED, Status.CONFLICT, Status.MAPPED, Status.EXCLUDED, Status.PARKED)
    return {
        status: count(service, actor, replace(view, status=status, gone=False, drifted=False).filter())
        for status in order
    }


def _hear(event: Told) -> None:
    """What the grid tells: opening a record is kept; a saved row needs no more than the run that follows."""
    if event.what == "open":
        st.session_state[_RECORD] = event.row


def _leave_record() -> None:
    st.session_state.pop(_RECORD, None)


def _open_record(desk: Desk, row: int) -> None:
    record = read_record(desk.service, desk.actor, row)
    title = plain(short(record.row.name, 100)) or "Provider account"
    st.dialog(title, width="large", on_dismiss=_leave_record)(_show_record)(desk, row)


def _show_record(desk: Desk, row: int) -> None:
    decided = None
    with told():
        decided = show_record(desk, read_record(desk.service, desk.actor, row))
    if decided is not None:
        _after(decided)


def _after(decided: Decided) -> None:
    """Let the grid read the row again. A row that needs nothing more is left; another stays open, as it is now."""
    st.session_state[_TOUCHED] = f"{decided.row.id}.{decided.row.version}"
    if decided.row.status in (Status.UNMAPPED, Status.CONFLICT):
        st.rerun(scope="fragment")
    st.session_state[_SAID] = f"{decided.row.name}: {STATUS_WORDS[decided.row.status]} {decided.row.account_name}"
    _leave_record()
    st.rerun()
