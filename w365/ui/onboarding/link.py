"""Where an onboarding starts: a link to its page, with the account if there is one, and word of unfinished ones."""

from __future__ import annotations

import streamlit as st

from w365.model import Role
from w365.service.onboarding.create import count_open
from w365.service.onboarding.provider import list_providers_to_onboard_at
from w365.ui.frame import pages
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.wording import counted

ACCOUNT = "account"


def link_to_onboarding(context: PageContext, crm_id: str = "") -> None:
    """Show the link to those who may onboard, where a provider offers it."""
    if context.actor.role < Role.ANALYST or not list_providers_to_onboard_at(context.service, context.actor):
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.page_link(
            pages.ONBOARDING.path,
            label=":primary[Onboard a customer…]",
            icon=":material/person_add:",
            query_params={ACCOUNT: crm_id} if crm_id else None,
        )
        if not crm_id and (unfinished := count_open(context.service, context.actor)):
            st.badge(f"{counted(unfinished, 'onboarding')} not finished", color="orange")
