"""Links from one page to what is to be done on another."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from w365.service.reading.crm_account import crm_id_of
from w365.service.reading.records import read_row
from w365.ui.frame import pages
from w365.ui.frame.page_context import PageContext

ACCOUNT_PARAMETER = "account"
"""In the address of the account view: the account's id in the CRM."""


def link_to(page: str, label: str, query: Mapping[str, str] | None = None) -> None:
    """Show the way to a page (`w365.ui.frame.pages`), opened with these parameters in its address."""
    st.page_link(
        page, label=f":primary[{label}]", icon=":material/arrow_forward:", icon_position="right", query_params=query
    )


def link_to_account(context: PageContext, account_id: int) -> None:
    """Show a link to the account view."""
    crm_id = crm_id_of(context.service, context.actor, account_id)
    st.page_link(
        pages.ACCOUNT.path, label=":primary[All its provider accounts]", query_params={ACCOUNT_PARAMETER: crm_id}
    )


def open_account_of(context: PageContext, row: int) -> None:
    """Go to the account view of the account that a row is mapped to; a row without one stays where it is."""
    account_id = read_row(context.service, context.actor, row).account_id
    if account_id is not None:
        st.switch_page(
            pages.ACCOUNT.path, query_params={ACCOUNT_PARAMETER: crm_id_of(context.service, context.actor, account_id)}
        )
