"""The account view: one CRM account, what is mapped to it at any provider, and what might be."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from w365.matching.messages import ORIGIN_WORDS, STATUS_WORDS, say_drift
from w365.model import Origin
from w365.service.configuring.crm_link import crm_address
from w365.service.reading.crm_account import PER_PAGE, CrmAccountView, read_account
from w365.store.reading.worklist import Row
from w365.ui.frame import pages
from w365.ui.frame.extras import Slot, show_extras
from w365.ui.frame.links import ACCOUNT_PARAMETER
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.palette import BADGES, WIDE
from w365.ui.frame.wording import counted, number, plain, short

_START = "account_start"


def show_account(context: PageContext) -> None:
    st.html(WIDE)
    account_id = st.query_params.get(ACCOUNT_PARAMETER, "")
    if not account_id:
        st.info("Open an account from a record, or from its name in the grid.")
        st.page_link(pages.PROVIDER_ACCOUNTS.path, label=":primary[Go to Provider accounts]")
        return
    start = st.session_state.get(_START, {}).get(account_id, 0)
    account = read_account(context.service, context.actor, account_id, start=start)
    _show_head(context, account)
    left, right = st.columns([4, 9], gap="large")
    with left:
        _show_facts(account)
        _show_domains(account)
    with right:
        _show_mapped(account, start)
        if not account.mapped_total and not account.is_deleted:
            show_extras(Slot.ACCOUNT, context, account.crm_id)
        _show_suggested(account)


def _show_head(context: PageContext, account: CrmAccountView) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(plain(short(account.name, 100)) or "(no name)", anchor=False, width="content")
        if account.is_deleted or not account.is_active:
            st.badge("deleted in the CRM" if account.is_deleted else "inactive", color="orange")
        address = crm_address(context.service, context.actor, account.account_id)
        if address and not account.is_deleted:
            st.link_button("Open in CRM", address)


def _show_facts(account: CrmAccountView) -> None:
    facts = (
        ("Account number", account.number),
        ("Website", account.website),
        ("City", account.city),
        ("Country", account.country),
        ("Microsoft tenant", account.tenant_guid),
        ("Contacts", number(account.contacts)),
        ("Id in the CRM", account.crm_id),
    )
    with st.container(gap="xsmall"):
        for label, value in facts:
            if value:
                st.markdown(f"{plain(value)}  \n:gray[:small[{label}]]")


def _show_domains(account: CrmAccountView) -> None:
    st.markdown(f"**Domains: {number(len(account.domains))}**")
    if not account.domains:
        st.caption("None. No contact and no field of the account names one.")
    with st.container(gap="xsmall"):
        for domain in account.domains:
            at = f"at {counted(domain.customers, 'provider account')}" if domain.customers else "at no provider account"
            sources = "; ".join((*domain.facts, at))
            st.markdown(f"{plain(domain.name)}  \n:gray[:small[{plain(sources)}]]")


def _show_mapped(account: CrmAccountView, start: int) -> None:
    total = account.mapped_total
    st.markdown(f"**Mapped to it: {counted(total, 'provider account')}, {counted(account.seats, 'seat')}**")
    if not total:
        st.caption("None at any provider.")
    _show_rows(account.mapped, [_say_mapping(row) for row in account.mapped])
    if total > PER_PAGE:
        page = st.pagination(-(-total // PER_PAGE), key=f"account-page-{account.account_id}")
        st.session_state[_START] = {account.crm_id: (page - 1) * PER_PAGE}
        if (page - 1) * PER_PAGE != start:
            st.rerun()


def _say_mapping(row: Row) -> str:
    origin = ORIGIN_WORDS[Origin(row.origin)] if row.origin else ""
    return ". ".join(part for part in (origin, say_drift(row.drift) if row.drift else "") if part)


def _show_suggested(account: CrmAccountView) -> None:
    st.markdown(f"**Suggested for: {counted(len(account.suggested), 'provider account')}**")
    if not account.suggested:
        st.caption("No open provider account has it as a candidate.")
    ranks = [f"candidate {suggestion.rank}, {suggestion.score:.2f}" for suggestion in account.suggested]
    _show_rows([suggestion.row for suggestion in account.suggested], ranks)


def _show_rows(rows: Sequence[Row], notes: Sequence[str]) -> None:
    for row, about in zip(rows, notes, strict=True):
        with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
            seats = counted(row.seats, "seat") if row.seats else ""
            parts = (row.provider, row.domain, short(row.specific_id, 13), seats, about)
            facts = " · ".join(part for part in parts if part)
            st.markdown(f"**{plain(short(row.name, 90))}**  \n:gray[:small[{plain(facts)}]]", width="stretch")
            st.badge(STATUS_WORDS[row.status], color=BADGES[row.status])
            query = {"status": "all", "text": row.specific_id, "record": str(row.id)}
            st.page_link(pages.PROVIDER_ACCOUNTS.path, label=":primary[Record]", query_params=query)
