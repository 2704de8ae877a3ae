"""Provider accounts: facets, the grid, and the record of the row that a person opens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st

from w365.api.parameters import ALL, LONGEST_NUMBER, LONGEST_TEXT
from w365.errors import SignedOut, W365Error
from w365.matching.messages import REASON_WORDS, STATUS_WORDS
from w365.model import OPEN, Actor, ListPart, Reason, Role, Status
from w365.service import Service
from w365.service.deciding.bulk_preview import Selection
from w365.service.deciding.collaboration import list_owners
from w365.service.deciding.mapping import Decided
from w365.service.deciding.undo import take_back_now
from w365.service.exporting import Subject
from w365.service.reading.records import count_each, read_record, read_row
from w365.service.reading.visits import read_visit
from w365.service.syncing.providers import list_providers
from w365.store.reading.worklist import Row
from w365.ui.deciding.bulk.dialog import ask_bulk, changes_done, show_change_dialog
from w365.ui.deciding.record.panel import forget_shown, show_record
from w365.ui.deciding.record.words import say_settled
from w365.ui.frame.choices import show_choice_of, show_parts, show_search
from w365.ui.frame.downloads import download_button
from w365.ui.frame.first_steps import is_beginning
from w365.ui.frame.links import open_account_of
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import FRESHNESS, renew_token, report_errors
from w365.ui.frame.palette import WIDE, is_dark
from w365.ui.frame.wording import counted, plain, short
from w365.ui.reading.grid.component import BAR, Bulk, GridEvent, GridState, Sorted, show_grid
from w365.ui.reading.grid.facets import read_further, show_further_facets
from w365.ui.reading.grid.view import PARTS, View, first_view, read_shown, read_sort, read_view

_VIEW, _RECORD, _TOUCHED, _SAID = "accounts_view", "accounts_record", "accounts_touched", "accounts_said"
_DONE = "accounts_done"
_ACCOUNT = "accounts_account"
_RECORD_ASKED = "record"
"""In the address: a record to open, once."""

_STATUS, _PROVIDER, _REASON, _TEXT = "accounts_status", "accounts_provider", "accounts_reason", "accounts_text"

SUBJECTS = (Subject.MAPPINGS, Subject.UNMAPPED, Subject.CONFLICTS, Subject.CANDIDATES, Subject.DECISIONS)

_PART_WORDS = {ListPart.HELD: "Held back"}

_FRAGMENT = "accounts"

_ANY = ""
"""The first choice of a facet. None would read as nothing chosen yet."""


@st.fragment(key=_FRAGMENT)
def show_accounts(context: PageContext) -> None:
    """Draw the page. A saved cell, a facet or a letter in the search runs this part only."""
    st.html(WIDE)  # nothing above the grid scrolls away
    with report_errors():
        if is_beginning(context):
            return
        providers = {provider.id: provider.name for provider in list_providers(context.service, context.actor)}
        view = _current_view(context, providers)
        st.query_params.from_dict(view.parameters())
        _show_facets(context, view, providers)
        state = GridState(view.rows_query(), context.token, context.actor.role >= Role.ANALYST, _touched(), view.sort)
        show_grid(state, scheme="dark" if is_dark() else "light", on_event=lambda event: _hear(context, event))
        if message := st.session_state.pop(_SAID, ""):
            st.toast(plain(message))
        if (row := st.session_state.pop(_ACCOUNT, None)) is not None:
            open_account_of(context, row)
        if _RECORD in st.session_state:
            _open_record(context, st.session_state[_RECORD])
        else:
            show_change_dialog(context)


def _touched() -> str:
    """What the grid is to read again: all of it after a change of many rows, else the row decided in the record."""
    if st.session_state.get(_DONE, 0) != changes_done():
        st.session_state[_DONE] = changes_done()
        st.session_state[_TOUCHED] = f"all.{changes_done()}"
    return str(st.session_state.get(_TOUCHED, ""))


def _current_view(context: PageContext, providers: Mapping[int, str]) -> View:
    """What the person chose; else what the address says; else what they chose before they left the page."""
    is_ours = _STATUS in st.session_state and _RECORD_ASKED not in st.query_params
    read = None if is_ours else _read_address(context, providers)
    view = read or st.session_state.get(_VIEW) or _first_view(context)
    since, today = read_visit(context.service, context.actor), context.service.clock().date()
    shown = None if view.shown is ListPart.NEW and since is None else view.shown
    view = replace(view, shown=shown, since=since, today=today)
    st.session_state[_VIEW] = view
    return view


def _first_view(context: PageContext) -> View:
    view = first_view(_amounts(context.service, context.actor, View()))
    return replace(view, sort=read_sort(st.query_params.to_dict()))


def _read_address(context: PageContext, providers: Mapping[int, str]) -> View | None:
    parameters = st.query_params.to_dict()
    record = parameters.get(_RECORD_ASKED, "")
    if record.isascii() and record.isdecimal() and len(record) <= LONGEST_NUMBER:
        st.session_state[_RECORD] = int(record)
    owners = {*list_owners(context.service, context.actor), context.actor.name}
    return read_view(parameters, providers, owners)


def _show_facets(context: PageContext, view: View, providers: Mapping[int, str]) -> None:
    _fill_in(view)
    # Two lines from the start: a part that comes while somebody decides must not push the grid down.
    with st.container(gap="xsmall"):
        _status_facet(_amounts(context.service, context.actor, view), _parts(context, view), view)
        _show_choices(context, view, providers)


def _show_choices(context: PageContext, view: View, providers: Mapping[int, str]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        if len(providers) > 1:
            show_choice_of("Provider", _PROVIDER, {_ANY: "All providers", **providers}, 140, _chosen)
        show_choice_of("Reason", _REASON, {_ANY: "All reasons", **REASON_WORDS}, 140, _chosen)
        show_further_facets(context, view, _chosen)
        show_search(_TEXT, "Name, domain, id or account", 230, _chosen)
        download_button(context, SUBJECTS, view.filter(), place="accounts")


def _parts(context: PageContext, view: View) -> dict[ListPart, int]:
    """What is a part of the list, but no status; shown where there is any."""
    offered = [part for part in PARTS if part is not ListPart.NEW or view.since is not None]
    return dict(zip(offered, _count_each(context.service, context.actor, view, offered), strict=True))


def _status_facet(amounts: Mapping[Status, int], parts: Mapping[ListPart, int], view: View) -> None:
    labels: dict[str, str] = {ALL: f"All {sum(amounts.values()):,}"}
    labels |= {status: f"{STATUS_WORDS[status]} {amounts[status]:,}" for status in amounts}
    labels |= {
        part: f"{_PART_WORDS.get(part, part.title())} {amount:,}"
        for part, amount in parts.items()
        if amount or view.shown is part
    }
    show_parts("Status", _STATUS, labels, _chosen)


def _fill_in(view: View) -> None:
    """Set the widgets to the view at every run: their labels hold counts, and a new label would lose the choice."""
    st.session_state[_STATUS] = view.shown or ALL
    st.session_state[_PROVIDER] = view.provider or _ANY
    st.session_state[_REASON] = view.reason or _ANY
    st.session_state[_TEXT] = view.text


def _chosen() -> None:
    """Take over what the widgets say now; runs before the page does."""
    state = st.session_state
    status, provider, reason = state[_STATUS], state.get(_PROVIDER), state[_REASON]
    state[_VIEW] = View(
        shown=read_shown(status),
        provider=provider or None,
        reason=Reason(reason) if reason else None,
        text=(state[_TEXT] or "")[:LONGEST_TEXT],
        **read_further(state[_VIEW]),
        sort=state[_VIEW].sort,
    )


def _amounts(service: Service, actor: Actor, view: View) -> dict[Status, int]:
    """How many rows each status has under the other facets: exactly what the grid would show."""
    order = (*OPEN, Status.MAPPED, Status.EXCLUDED, Status.PARKED)
    return dict(zip(order, _count_each(service, actor, view, order), strict=True))


def _count_each(service: Service, actor: Actor, view: View, shown: Sequence[Status | ListPart]) -> list[int]:
    return count_each(service, actor, [replace(view, shown=each).filter() for each in shown])


def _hear(context: PageContext, event: GridEvent | Bulk | Sorted) -> None:
    """What the grid tells: opening a record is kept; a saved row needs no more than the run that follows."""
    if isinstance(event, Bulk):
        _ask_bulk(event)
    elif isinstance(event, Sorted):
        st.session_state[_VIEW] = replace(st.session_state[_VIEW], sort=event.by)
    elif event.what == "open":
        st.session_state[_RECORD] = event.row
    elif event.what == "account":
        st.session_state[_ACCOUNT] = event.row
    elif event.what == "undo":
        _take_back(context, event.row)
    elif event.what == "ended":
        renew_token()
    if isinstance(event, GridEvent) and event.what in ("saved", "undo"):
        st.rerun([_FRAGMENT, FRESHNESS])  # the counts above agree with the facets


def _ask_bulk(event: Bulk) -> None:
    view: View = st.session_state[_VIEW]
    chosen = Selection(event.ids, None if event.ids else view.filter())
    amount = (
        counted(len(event.ids), "selected provider account") if event.ids else "all provider accounts of the filter"
    )
    ask_bulk(event.action, f"{BAR[event.action].rstrip('…')}: {amount}", chosen)


def _take_back(context: PageContext, decision_id: int) -> None:
    """Take back at once what was decided just now; when somebody changed the row since, show that instead."""
    try:
        row = take_back_now(context.service, context.actor, decision_id)
    except SignedOut:
        return  # the page itself asks to sign in
    except W365Error as error:
        st.session_state[_SAID] = str(error)
        return
    st.session_state[_TOUCHED] = f"{row.id}.0.{row.version}"
    st.session_state[_SAID] = f"{row.name}: taken back"


def _leave_record() -> None:
    st.session_state.pop(_RECORD, None)
    forget_shown()


def _open_record(context: PageContext, row: int) -> None:
    title = plain(short(read_row(context.service, context.actor, row).name, 100)) or "Provider account"
    st.dialog(title, width="large", on_dismiss=_leave_record)(_show_record)(context, row)


def _show_record(context: PageContext, row: int) -> None:
    decided = None
    with report_errors():
        record = read_record(context.service, context.actor, row)
        decided = show_record(context, record)
    if decided is not None:
        _after(decided, record.row)


def _after(decided: Decided, before: Row) -> None:
    """Let the grid read the row again. A row that was settled just now is left; another stays open, as it is now."""
    st.session_state[_TOUCHED] = f"{decided.row.id}.{decided.row.version}"
    is_as_before = (decided.row.status, decided.row.account_id) == (before.status, before.account_id)
    if is_as_before or decided.row.status in OPEN:
        st.rerun(scope="fragment")
    st.session_state[_SAID] = say_settled(decided.row)
    _leave_record()
    st.rerun()
