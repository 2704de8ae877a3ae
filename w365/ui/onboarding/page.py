"""Onboard a customer: choose the account, then create a customer for it or ask the tenant it has; below, what waits."""

from __future__ import annotations

import streamlit as st

from w365.model import Role
from w365.service.onboarding.create import read_account
from w365.service.onboarding.provider import list_providers_to_onboard_at
from w365.service.onboarding.relationships import request_relationship
from w365.service.reading.crm_account import crm_id_of
from w365.store.onboarding.accounts import AccountToOnboard
from w365.ui.frame import pages
from w365.ui.frame.account_search import search_crm
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import show_refusals
from w365.ui.frame.palette import WIDE
from w365.ui.frame.wording import plain, short
from w365.ui.onboarding.first_password import Attempt, attempt_of, forget_attempt, show_password, show_under_way
from w365.ui.onboarding.form import show_new_customer
from w365.ui.onboarding.link import ACCOUNT
from w365.ui.onboarding.waiting import show_waiting

_LINK = "onboarding_link"
_NEW, _EXISTING = "new", "existing"
_WAYS = {_NEW: "It has no Microsoft tenant yet", _EXISTING: "It has a tenant"}


def show_onboarding(context: PageContext) -> None:
    st.html(WIDE)
    if context.actor.role < Role.ANALYST:
        st.info("Analysts onboard customers. What waits is shown here.")
    else:
        _show_start(context)
    show_waiting(context)


def _show_start(context: PageContext) -> None:
    providers = list_providers_to_onboard_at(context.service, context.actor)
    if not providers:
        st.info("No provider is connected at which customers can be created. An admin connects one.")
        return
    attempt, account_id = attempt_of(context.actor), st.query_params.get(ACCOUNT, "")
    if attempt and not attempt.is_over:
        show_under_way(attempt)
        return
    if attempt and attempt.done and (attempt.done.credentials or account_id in ("", attempt.account)):
        _show_done(attempt)
        return
    if not account_id:
        _choose_account(context)
        return
    account = read_account(context.service, context.actor, account_id)
    _show_account(account)
    provider_id = _choose_provider(providers)
    way = st.segmented_control("Tenant", list(_WAYS), format_func=_WAYS.__getitem__, default=_NEW, required=True)
    if way == _EXISTING:
        _show_existing(context, provider_id, providers[provider_id], account)
    else:
        show_new_customer(context, provider_id, providers[provider_id], account, attempt)


def _show_done(attempt: Attempt) -> None:
    done = attempt.done
    if done is None:
        return
    if done.problem:
        st.warning(f"**{plain(done.name)} exists now at the provider.** {plain(done.problem)}")
    else:
        st.success(f"**{plain(done.name)}** was created and is mapped to its account, with the origin provisioned.")
    show_password(attempt)
    if done.credentials is None and not attempt.is_noted:
        st.warning("The answer with the admin's first password did not arrive. Reset the password at the provider.")
    with st.container(horizontal=True):
        if done.provider_account_id is not None:
            query = {"status": "all", "text": done.domain, "record": str(done.provider_account_id)}
            st.page_link(pages.PROVIDER_ACCOUNTS.path, label=":primary[Its provider account]", query_params=query)
        if done.credentials is None and st.button("Onboard another customer"):
            forget_attempt()
            st.query_params.clear()
            st.rerun()


def _choose_account(context: PageContext) -> None:
    hits = search_crm(context, "Which CRM account is it?", "onboarding-lookup", width=480)
    if hits == []:
        st.caption("No account found. Create it in the CRM first; the next CRM sync brings it.")
    for hit in hits or ():
        with st.container(horizontal=True, vertical_alignment="center", width=640):
            st.markdown(f"**{plain(short(hit.name, 80))}**  \n:gray[:small[{plain(hit.about)}]]", width="stretch")
            if st.button("Choose", key=f"onboard-{hit.account_id}"):
                st.query_params[ACCOUNT] = crm_id_of(context.service, context.actor, hit.account_id)
                st.rerun()


def _show_account(account: AccountToOnboard) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(plain(short(account.name, 100)) or "(no name)", anchor=False, width="content")
        if st.button("Another account", type="tertiary"):
            st.query_params.clear()
            st.rerun()
    if account.mapped:
        st.warning(f"It has provider accounts already: {plain('; '.join(account.mapped))}.")


def _choose_provider(providers: dict[int, str]) -> int:
    if len(providers) == 1:
        return next(iter(providers))
    chosen = st.selectbox("Provider", list(providers), format_func=providers.__getitem__, width=320)
    return chosen or next(iter(providers))


def _show_existing(context: PageContext, provider_id: int, provider: str, account: AccountToOnboard) -> None:
    """Ask for the link; it is no secret, and is shown until another account is chosen."""
    tenant = st.text_input(
        "Domain or id of its tenant",
        account.tenant_guid or account.domain,
        key=f"tenant-{account.account_id}",
        max_chars=253,
        help="By it the customer is told when it appears.",
        width=480,
    )
    if st.button(f"Get the link of {provider}", type="primary"):
        with show_refusals():
            link = request_relationship(context.service, context.actor, provider_id, account.account_id, tenant or "")
            st.session_state[_LINK] = (account.account_id, link, bool(tenant and tenant.strip()))
            st.rerun()  # what is awaited is listed below
    asked, link, is_known = st.session_state.get(_LINK, (0, "", False))
    if asked == account.account_id:
        st.markdown("**Send this link to an admin of the tenant.**")
        st.code(link, language=None, wrap_lines=True)
        follows = f"and is mapped to {plain(account.name)} by itself" if is_known else "to be mapped by hand"
        st.caption(f"Once the admin has accepted, the customer comes with the next sync {follows}.")
