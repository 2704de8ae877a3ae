"""The Data quality page: what to mend at the providers and in the CRM, each number with the rows behind it."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from w365.matching.messages import REASON_WORDS
from w365.service.insight.quality import Quality, list_flawed_accounts, list_shared_domains, read_quality
from w365.service.syncing.providers import get_crm
from w365.store.insight.quality import Flaw, FlawedAccount, SharedByAccounts
from w365.ui.frame import pages
from w365.ui.frame.first_steps import is_beginning
from w365.ui.frame.links import link_to
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import report_errors
from w365.ui.frame.paging import ask_start
from w365.ui.frame.runs import keep_current
from w365.ui.frame.wording import counted, number

FLAW_WORDS: Mapping[Flaw, str] = {
    Flaw.NO_CONTACT: "Accounts with no contact",
    Flaw.FREE_MAIL_ONLY: "Accounts with free mail only",
    Flaw.DUPLICATE: "Domains of several accounts",
}
ABOUT: Mapping[Flaw, str] = {
    Flaw.NO_CONTACT: "Active CRM accounts without any contact. Add one with an address of the company.",
    Flaw.FREE_MAIL_ONLY: "Active CRM accounts whose contacts all write from free mail, which proves no company.",
    Flaw.DUPLICATE: (
        "Domains that several active CRM accounts have. They may be the same company twice: merge them in the CRM, or "
        "mark a domain as shared on the Conflicts page. Listed domains (free mail, shared, excluded) are left out."
    ),
}


def show_quality(context: PageContext) -> None:
    keep_current(context)
    quality = read_quality(context.service, context.actor)
    if not is_beginning(context):
        _show_customers(quality)
    st.subheader("In the CRM", anchor=False)
    if not get_crm(context.service, context.actor).accounts:
        st.info("There are no CRM accounts yet. Sync the CRM on the Providers page.")
        return
    _show_flaws(context, quality)


def _show_customers(quality: Quality) -> None:
    st.subheader("Customers with no usable domain", anchor=False)
    total = sum(quality.customers.values())
    if not total:
        st.caption("None: every customer has a domain of its own.")
        return
    st.caption(f"{counted(total, 'provider account')}; only a person, a candidate or a new domain can map them.")
    for reason, amount in quality.customers.items():
        if amount:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{number(amount)}** {REASON_WORDS[reason]}", width="stretch")
                link_to(pages.PROVIDER_ACCOUNTS.path, "Show these", {"status": "all", "reason": reason.value})


@st.fragment
def _show_flaws(context: PageContext, quality: Quality) -> None:
    with report_errors():
        labels = {flaw: f"{words} {number(quality.flaws[flaw])}" for flaw, words in FLAW_WORDS.items()}
        flaw = st.segmented_control(
            "What", list(labels), default=Flaw.NO_CONTACT, format_func=labels.__getitem__, required=True
        )
        flaw = flaw or Flaw.NO_CONTACT
        st.caption(ABOUT[flaw])
        if not quality.flaws[flaw]:
            st.success("None.")
            return
        rows = _rows(context, flaw, ask_start(quality.flaws[flaw], f"quality-{flaw}"))
        st.dataframe(rows, hide_index=True, height="content" if len(rows) < 12 else 460, alt=FLAW_WORDS[flaw])


def _rows(context: PageContext, flaw: Flaw, start: int) -> list[dict[str, str | int]]:
    if flaw is Flaw.DUPLICATE:
        return [_domain_row(shared) for shared in list_shared_domains(context.service, context.actor, start=start)]
    accounts = list_flawed_accounts(context.service, context.actor, flaw, start=start)
    return [_account_row(account) for account in accounts]


def _account_row(account: FlawedAccount) -> dict[str, str | int]:
    return {
        "Account Name": account.name,
        "Number": account.number,
        "City": account.city,
        "Country": account.country,
        "Contacts": account.contacts,
        "Mapped provider accounts": account.provider_accounts,
    }


def _domain_row(shared: SharedByAccounts) -> dict[str, str | int]:
    more = shared.accounts - len(shared.names)
    return {
        "Domain": shared.domain,
        "Accounts": shared.accounts,
        "Names": ", ".join(shared.names) + (f" and {number(more)} more" if more > 0 else ""),
    }
