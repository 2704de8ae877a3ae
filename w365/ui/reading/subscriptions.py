"""The Subscriptions page: what waits for a mapping first, then what is ready, page by page."""

from __future__ import annotations

from typing import Any

import streamlit as st

from w365.api.parameters import LONGEST_TEXT
from w365.service.reading.subscriptions import SubscriptionPage, count_subscriptions, list_subscriptions
from w365.service.syncing.providers import list_providers
from w365.store.reading.subscriptions import (
    Amount,
    Amounts,
    Cursor,
    SubscriptionFilter,
    SubscriptionRow,
    SubscriptionState,
)
from w365.ui.deciding.record.dialog import open_record
from w365.ui.deciding.record.subscription_words import ABOUT, EMPTY, STATE_LABELS, say_blocked, say_rest, table_row
from w365.ui.frame import pages
from w365.ui.frame.choices import show_choice_of, show_parts, show_search
from w365.ui.frame.extras import Slot, show_extras
from w365.ui.frame.links import link_to
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import report_errors
from w365.ui.frame.palette import WIDE
from w365.ui.frame.runs import keep_current
from w365.ui.frame.wording import counted, local_zone, number

_PER_PAGE = 100
_STATE, _PROVIDER, _TEXT = "subscriptions_state", "subscriptions_provider", "subscriptions_text"
_BEFORE, _SHOWN = "subscriptions_before", "subscriptions_shown"
_ALL = "all"


def show_subscriptions(context: PageContext) -> None:
    st.html(WIDE)
    keep_current(context)
    show_extras(Slot.ACCOUNT, context)
    _show_list(context)


@st.fragment
def _show_list(context: PageContext) -> None:
    with report_errors():
        criteria = _wanted()
        amounts = count_subscriptions(context.service, context.actor, criteria)
        if not any(amount.subscriptions for amount in amounts.values()) and criteria == SubscriptionFilter(
            criteria.states
        ):
            st.info(EMPTY)
            return
        _show_totals(amounts)
        _show_facets(context, amounts)
        _show_page(context, criteria, amounts)


def _wanted() -> SubscriptionFilter:
    """Read the facets; they are drawn below what is counted with them."""
    state = st.session_state
    chosen, provider = state.get(_STATE, _ALL), state.get(_PROVIDER)
    return SubscriptionFilter(
        states=(SubscriptionState(chosen),) if chosen in list(SubscriptionState) else (),
        providers=(provider,) if provider else (),
        text=(state.get(_TEXT) or "").replace("\0", "")[:LONGEST_TEXT],
    )


def _show_totals(amounts: Amounts) -> None:
    blocked = amounts[SubscriptionState.BLOCKED]
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"{say_blocked(blocked)}  \n:gray[:small[{say_rest(amounts)}]]", width="stretch")
        if blocked.subscriptions:
            link_to(pages.PROVIDER_ACCOUNTS.path, "Open what is unmapped", {"status": "unmapped"})


def _show_facets(context: PageContext, amounts: Amounts) -> None:
    labels = {_ALL: f"All {number(sum(amount.subscriptions for amount in amounts.values()))}"}
    labels |= {state.value: f"{STATE_LABELS[state]} {number(amounts[state].subscriptions)}" for state in amounts}
    providers: dict[int, str] = {0: "All providers"}
    providers |= {provider.id: provider.name for provider in list_providers(context.service, context.actor)}
    st.session_state.setdefault(_STATE, _ALL)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        show_parts("State", _STATE, labels, _begin)
        show_choice_of("Provider", _PROVIDER, providers, 180, _begin)
        show_search(_TEXT, "Customer, domain, id, account", 230, _begin)


def _begin() -> None:
    """Another filter begins at its first page."""
    st.session_state.pop(_BEFORE, None)


def _show_page(context: PageContext, criteria: SubscriptionFilter, amounts: Amounts) -> None:
    before: list[Cursor] = st.session_state.setdefault(_BEFORE, [])
    after = before[-1] if before else None
    page = list_subscriptions(context.service, context.actor, criteria, after=after, limit=_PER_PAGE)
    if not page.rows and before:  # what was there is decided meanwhile
        _begin()
        page = list_subscriptions(context.service, context.actor, criteria, limit=_PER_PAGE)
        before = []
    if not page.rows:
        st.info("No subscription fits. Take a filter away, or search for something else.")
        return
    if len(criteria.states) == 1:
        st.caption(ABOUT[criteria.states[0]])
    _show_table(context, page.rows)
    _show_paging(page, len(before), _total(criteria, amounts))


def _total(criteria: SubscriptionFilter, amounts: Amounts) -> int:
    states = criteria.states or tuple(amounts)
    return sum(amounts.get(state, Amount()).subscriptions for state in states)


def _show_table(context: PageContext, rows: tuple[SubscriptionRow, ...]) -> None:
    zone, now = local_zone(), context.service.clock()
    # A key of its own for each list: a chosen row must not choose another one of the next page.
    key = f"{_SHOWN}-{hash((rows[0].subscription_id, rows[-1].subscription_id, len(rows)))}"
    event: Any = st.dataframe(
        [table_row(row, zone, now) for row in rows],
        hide_index=True,
        height=min(36 * (len(rows) + 1) + 2, 560),
        column_config=_COLUMNS,
        on_select="rerun",
        selection_mode="single-row",
        key=key,
        alt="Subscriptions, the blocked ones first",
    )
    if chosen := event.selection.rows:
        open_record(context, rows[chosen[0]].provider_account_id, key)


def _show_paging(page: SubscriptionPage, place: int, total: int) -> None:
    first = place * _PER_PAGE + 1
    with st.container(horizontal=True, vertical_alignment="center"):
        if place or page.following:
            st.button("Previous", disabled=not place, on_click=_turn, args=(None,))
            st.button("Next", disabled=page.following is None, on_click=_turn, args=(page.following,))
        place_of_page = f"{number(first)}–{number(first + len(page.rows) - 1)} of {counted(total, 'subscription')}"
        sorts = " A header sorts what is shown here." if total > len(page.rows) else ""
        st.markdown(f":gray[:small[{place_of_page}. Choose a row to open its customer.{sorts}]]", width="content")


def _turn(to: Cursor | None) -> None:
    before: list[Cursor] = st.session_state.get(_BEFORE, [])
    st.session_state[_BEFORE] = [*before, to] if to else before[:-1]


def _column(label: str, width: int) -> Any:
    return st.column_config.TextColumn(label, width=width)


_COLUMNS = {
    "State": _column("State", 240),
    "Customer": _column("Customer", 200),
    "Offer": _column("Offer", 205),
    "Quantity": st.column_config.NumberColumn("Quantity", format="localized", width=70),
    "Since": _column("Since", 160),
    "Term": _column("Term", 55),
    "Status": _column("Status", 80),
    "Account": _column("Account Name", 200),
    "Provider": _column("Provider", 130),
}
