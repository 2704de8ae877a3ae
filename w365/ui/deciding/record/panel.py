"""The record: what the provider says of a customer, the accounts beside it, and every decision one can take."""

from __future__ import annotations

import streamlit as st

from w365.matching.messages import STATUS_WORDS
from w365.model import Disposition, Status
from w365.service.deciding import mapping
from w365.service.deciding.mapping import Decided
from w365.service.reading.records import Record
from w365.ui.deciding.record.accounts import show_candidates, show_lookup, show_mapped, show_rejected
from w365.ui.deciding.record.collaboration import show_teamwork
from w365.ui.deciding.record.create import show_create
from w365.ui.deciding.record.decide import Decider
from w365.ui.deciding.record.history import show_history
from w365.ui.deciding.record.manual_row import show_entry
from w365.ui.deciding.record.same_customer import show_twins
from w365.ui.deciding.record.subscription_words import say_standing
from w365.ui.deciding.record.sync_switch import show_sync
from w365.ui.deciding.record.words import say_decision, say_domain, say_state, say_when
from w365.ui.frame.extras import Slot, show_extras
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.palette import BADGES
from w365.ui.frame.wording import counted, local_zone, plain

_SHOWN = "record_shown"
"""In the session: the open record's row and the version that the person looks at."""


def show_record(context: PageContext, record: Record) -> Decided | None:
    """Draw the record; return the decision that was just taken, after which the record must be read again.

    A button of the row as it was is gone once somebody else decided it: who pressed it is told so.
    """
    _say_meanwhile(record)
    decider = Decider(context, record)
    draw_record(decider)
    row = decider.decided.row if decider.decided else record.row
    st.session_state[_SHOWN] = (row.id, row.version)
    return decider.decided


def forget_shown() -> None:
    """The record is closed: what happens to its row from now on is no surprise in it."""
    st.session_state.pop(_SHOWN, None)


def _say_meanwhile(record: Record) -> None:
    row, version = st.session_state.get(_SHOWN, (0, 0))
    if row != record.row.id or version == record.row.version or not record.history:
        return
    latest = record.history[0]
    st.info(
        f"**Decided meanwhile: {plain(say_decision(latest))}** ({plain(say_when(latest, local_zone()))}). "
        "What you chose since you opened the record was not saved. This is the row as it is now."
    )


def draw_record(decider: Decider) -> None:
    left, right = st.columns([4, 9], gap="large")
    with left:
        _show_provider_side(decider.record)
        show_teamwork(decider.context, decider.record)
    with right:
        _show_accounts_side(decider)


def _show_provider_side(record: Record) -> None:
    row = record.row
    st.badge(STATUS_WORDS[row.status], color=BADGES[row.status])
    facts = (
        ("Provider", row.provider),
        ("Provider Specific Account Id", row.specific_id),
        ("Country", record.country),
        ("Changed", row.change),
        ("Gone since", f"{record.gone_at:%Y-%m-%d}" if record.gone_at else ""),
    )
    further = (
        ("Domains come from", record.domain_source),
        ("Relationship", record.relationship),
        ("Note", record.note),
    )
    _list([(value, label) for label, value in facts if value], "")
    _heading("Domains")
    _list([(domain.name, say_domain(domain)) for domain in record.domains], "The provider lists none.")
    _heading(f"Subscriptions: {counted(row.seats, 'seat')}")
    _list(
        [(subscription.offer_name, say_standing(subscription, row)) for subscription in record.subscriptions],
        "None known.",
    )
    if any(value for _, value in further):
        _heading("Also known")
        _list([(value, label) for label, value in further if value], "")


def _show_accounts_side(decider: Decider) -> None:
    """Each part has its container, so that one that grows does not close what is open below it."""
    parts = (
        _show_standing,
        show_candidates,
        show_lookup,
        show_create,
        _show_setting_aside,
        show_rejected,
        show_entry,
        show_sync,
    )
    for part in parts:
        with st.container():
            part(decider)
    show_history(decider)


def _show_standing(decider: Decider) -> None:
    """Show the mapped account, or why there is none and what to do."""
    show_twins(decider)
    record = decider.record
    if record.mapped is not None:
        show_mapped(decider, record.mapped)
    elif state := say_state(record):
        st.markdown(plain(state))
    if record.row.status in (Status.EXCLUDED, Status.PARKED):
        decider.button("Reopen", "reopen", lambda seen: mapping.reopen_row(*decider.whose, seen=seen), kind="primary")
    elif record.row.disposition is Disposition.HELD:
        decider.button("Release", "release", lambda seen: mapping.reopen_row(*decider.whose, seen=seen))
    show_extras(Slot.RECORD, decider)


def _show_setting_aside(decider: Decider) -> None:
    """Exclude or park, with a reason. A mapped row is cleared first; the Review page has keys for it."""
    if not decider.may or decider.record.row.account_id is not None or decider.on_work is not None:
        return
    with st.expander("Exclude or park"):
        reason = st.text_input("Reason", key=decider.field_key("reason"), max_chars=500)
        until = st.date_input("Park until (optional)", value=None, key=decider.field_key("until"), width=220)
        with st.container(horizontal=True):
            decider.button(
                "Exclude", "exclude", lambda seen: mapping.exclude_row(*decider.whose, seen=seen, reason=reason or "")
            )
            decider.button(
                "Park",
                "park",
                lambda seen: mapping.park_row(*decider.whose, seen=seen, reason=reason or "", until=until),
            )
        st.caption("Exclude takes the customer out of the backlog for good, Park for a time. Both can be reopened.")


def _heading(text: str) -> None:
    st.markdown(f"**{text}**")


def _list(lines: list[tuple[str, str]], empty: str) -> None:
    """Show each text with what is said about it in small below."""
    if not lines:
        st.caption(empty)
        return
    with st.container(gap="xsmall"):
        for text, about in lines:
            st.markdown(f"{plain(text)}  \n:gray[:small[{plain(about)}]]")
