"""Changes of owners on the Activity page."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from w365.service.insight.activity import count_owner_changes, list_givers, list_owner_changes
from w365.store.insight.owner_changes import OwnerChangeFilter, OwnerChangeView
from w365.ui.deciding.bulk.undo import offer_undo_of_owners, show_undoable
from w365.ui.deciding.bulk.words import NOBODY
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import report_errors
from w365.ui.frame.paging import PER_PAGE, ask_start
from w365.ui.frame.wording import counted, full_time, local_zone


@st.fragment
def show_owner_changes(context: PageContext) -> None:
    with report_errors():
        criteria = _ask_filter(context)
        total = count_owner_changes(context.service, context.actor, criteria)
        st.markdown(f"**{counted(total, 'change')} of owners**")
        if not total:
            _say_empty(criteria)
            return
        start, zone = ask_start(total, "owner-changes-page"), local_zone()
        changes = list_owner_changes(context.service, context.actor, criteria, start=start, limit=PER_PAGE)
        rows = [_row(change, zone) for change in changes]
        key = f"owners-{total}-{changes[0].id}"
        show_undoable(context, changes, rows, key, {}, "Changes of owners", offer_undo_of_owners)


def _ask_filter(context: PageContext) -> OwnerChangeFilter:
    who, text = st.columns([2, 5])
    actor = who.selectbox(
        "Person",
        ["", *list_givers(context.service, context.actor)],
        format_func=lambda owner: owner or "Anybody",
        key="owner-changes-person",
    )
    words = text.text_input(
        "Search", type="search", placeholder="Provider account or owner", live="400ms", key="owner-changes-search"
    )
    return OwnerChangeFilter(actor or "", words or "")


def _say_empty(criteria: OwnerChangeFilter) -> None:
    if criteria == OwnerChangeFilter():
        st.info("No row was given to anybody yet. A record says who takes care of its row.")
    else:
        st.info("No change fits these filters. Take one away.")


def _row(change: OwnerChangeView, zone: dt.tzinfo) -> dict[str, str]:
    return {
        "Time": full_time(change.at, zone),
        "Who": f"{change.actor}, run {change.run_id}" if change.run_id else change.actor,
        "Provider account": change.provider_account,
        "Provider": change.provider,
        "Old → new": f"{change.old_owner or NOBODY} → {change.owner or NOBODY}",
    }
