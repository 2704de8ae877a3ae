"""The Conflicts page: what points to more than one place, the most rows first, and one action for each kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TypeVar

import streamlit as st

from w365.matching.messages import LIST_WORDS, STATUS_WORDS
from w365.model import DomainList, Role, Status
from w365.service.deciding.bulk_preview import Selection
from w365.service.deciding.conflicts import MOST_ROWS, PER_PAGE, list_conflicts, rows_of_domain
from w365.service.matching.run import PendingChange, refresh_touched
from w365.store.deciding.conflict_pages import (
    AccountConflict,
    ConflictPage,
    Conflicts,
    DomainConflict,
    DomainOfCustomers,
    PageNumbers,
    SharedSuspect,
    Use,
)
from w365.store.reading.worklist import Row
from w365.ui.configuring.change_preview import propose_change, show_pending_dialog
from w365.ui.deciding.bulk.dialog import ask_bulk, show_change_dialog
from w365.ui.deciding.conflicts.words import ABOUT, EMPTY, TITLES, say_effect, say_names, say_row, say_use
from w365.ui.frame import pages
from w365.ui.frame.first_steps import is_beginning
from w365.ui.frame.links import link_to
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.palette import BADGES
from w365.ui.frame.runs import is_busy, keep_current
from w365.ui.frame.wording import counted, number, plain, short

_PAGE = "conflicts_page_"

T = TypeVar("T")


def show_conflicts(context: PageContext) -> None:
    keep_current(context)
    if not is_busy(context):
        refresh_touched(context.service)
    pages = PageNumbers(**{name: st.session_state.get(_PAGE + name, 0) for name in asdict(PageNumbers())})
    conflicts = list_conflicts(context.service, context.actor, pages)
    show_pending_dialog(context)
    show_change_dialog(context)
    if not conflicts.total:
        if not is_beginning(context):
            st.success(EMPTY)
        return
    if context.actor.role < Role.ANALYST:
        st.info("You can look at these conflicts; settling them needs the role analyst.")
    _show_parts(context, conflicts, pages)


def _show_parts(context: PageContext, conflicts: Conflicts, pages: PageNumbers) -> None:
    totals = (conflicts.domains.total, conflicts.customers.total, conflicts.accounts.total, conflicts.suspects.total)
    amounts = zip(TITLES.values(), totals, strict=True)
    st.markdown(" · ".join(f"{title} **{number(total)}**" for title, total in amounts))
    _show_part("domains", conflicts.domains, pages.domains, lambda conflict: _show_domain(context, conflict))
    _show_part("customers", conflicts.customers, pages.customers, lambda customers: _show_customers(context, customers))
    _show_part("accounts", conflicts.accounts, pages.accounts, _show_account)
    _show_part("suspects", conflicts.suspects, pages.suspects, lambda suspect: _show_suspect(context, suspect))


def _show_part(name: str, part: ConflictPage[T], page: int, show: Callable[[T], None]) -> None:
    st.subheader(f"{TITLES[name]} ({number(part.total)})", anchor=False)
    if not part.total:
        st.caption("None.")
        return
    st.caption(ABOUT[name])
    for group in part.groups:
        with st.container(border=True, gap="small"):
            show(group)
    if part.total > PER_PAGE:
        _show_paging(name, part.total, page)


def _show_paging(name: str, total: int, page: int) -> None:
    last = (total - 1) // PER_PAGE
    page = min(page, last)
    with st.container(horizontal=True, vertical_alignment="center"):
        for label, to in (("Previous", page - 1), ("Next", page + 1)):
            st.button(
                label,
                key=f"{name}-{label}",
                disabled=not 0 <= to <= last,
                on_click=st.session_state.__setitem__,
                args=(_PAGE + name, to),
            )
        first = page * PER_PAGE + 1
        st.markdown(f"{number(first)}–{number(min(first + PER_PAGE - 1, total))} of {number(total)}", width="content")


def _show_domain(context: PageContext, conflict: DomainConflict) -> None:
    _show_head(
        context,
        "domains",
        conflict.domain,
        f"{counted(conflict.accounts, 'account')} · {say_effect(conflict.rows, conflict.seats)}",
    )
    _quiet(f"Waiting: {say_names([row.name for row in conflict.listed], conflict.rows)}")
    for use in conflict.uses:
        _show_use(context, conflict, use)
    if conflict.accounts > len(conflict.uses):
        st.caption(f"and {counted(conflict.accounts - len(conflict.uses), 'more account', 'more accounts')}")
    query = {"status": Status.CONFLICT.value, "text": conflict.domain}
    link_to(pages.PROVIDER_ACCOUNTS.path, "Show these provider accounts", query)


def _show_use(context: PageContext, conflict: DomainConflict, use: Use) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        name = plain(short(use.name, 100))
        st.markdown(f"{name}  \n:gray[:small[{plain(say_use(use))}]]", width="stretch")
        if context.actor.role >= Role.ANALYST and st.button(
            "Choose…" if conflict.rows == 1 else f"Choose for {number(conflict.rows)}…",
            key=f"choose-{conflict.domain}-{use.account_id}",
            help=f"Choose {name}",
        ):
            _ask_choice(context, conflict.domain, use)


def _ask_choice(context: PageContext, domain: str, use: Use) -> None:
    """Show, in the next run of the page, what choosing this account would map: a bulk action, taken back as one."""
    rows = rows_of_domain(context.service, context.actor, domain)
    which = f"the first {number(MOST_ROWS)}" if len(rows) == MOST_ROWS else counted(len(rows), "provider account")
    chosen = Selection(tuple(row.id for row in rows))
    ask_bulk("assign", f"Choose {use.name} for {which}?", chosen, {"account": use.account_id})
    st.rerun()


def _show_customers(context: PageContext, conflict: DomainOfCustomers) -> None:
    _show_head(
        context,
        "customers",
        conflict.domain,
        f"{counted(conflict.customers, 'customer')} · {say_effect(conflict.rows, conflict.seats)}",
    )
    _show_rows(conflict.listed, conflict.customers)
    link_to(pages.PROVIDER_ACCOUNTS.path, "Show these provider accounts", {"status": "all", "text": conflict.domain})


def _show_account(conflict: AccountConflict) -> None:
    st.markdown(f"**{plain(short(conflict.name, 100))}** · {counted(conflict.rows, 'provider account')}")
    _show_rows(conflict.listed, conflict.rows)
    link_to(pages.PROVIDER_ACCOUNTS.path, "Open one to decide", {"status": "all", "text": conflict.name})


def _show_suspect(context: PageContext, suspect: SharedSuspect) -> None:
    shared = " :orange-badge[maps nothing: shared by count]" if suspect.is_shared else ""
    effect = f"contacts of {counted(suspect.accounts, 'account')} · {_waiting(suspect)}{shared}"
    _show_head(context, "suspects", suspect.domain, effect)
    _quiet(say_names([use.name for use in suspect.uses], suspect.accounts))


def _quiet(text: str) -> None:
    st.markdown(f":gray[:small[{plain(text)}]]")


def _waiting(suspect: SharedSuspect) -> str:
    return say_effect(suspect.rows, suspect.seats) if suspect.rows else "no open provider account has it"


def _show_head(context: PageContext, part: str, domain: str, effect: str) -> None:
    """Name the domain and its effect; an admin takes it out of matching here, after seeing what that settles.

    `part` is the heading: a domain may stand under several.
    """
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**{plain(domain)}** · {effect}", width="stretch")
        if context.actor.role < Role.ADMIN:
            return
        with st.container(horizontal=True, width="content"):
            for which, label in ((DomainList.SHARED, "Mark as shared…"), (DomainList.EXCLUDED, "Exclude…")):
                if st.button(label, key=f"{which}-{part}-{domain}", help=f"{label.rstrip('…')}: {plain(domain)}"):
                    line = f"{LIST_WORDS[which]}: 1 domain added ({domain})"
                    propose_change(context, PendingChange(added={which: (domain,)}), [line])


def _show_rows(rows: Sequence[Row], total: int) -> None:
    for row in rows:
        badge = f":{BADGES[row.status]}-badge[{STATUS_WORDS[row.status]}]"
        st.markdown(f"{plain(short(row.name, 100))} {badge}  \n:gray[:small[{plain(say_row(row))}]]")
    if total > len(rows):
        st.caption(f"and {number(total - len(rows))} more")
