"""The setting that says where an account lies in the CRM's own pages."""

from __future__ import annotations

import streamlit as st

from w365.errors import InputError
from w365.model import Role
from w365.service.configuring.crm_link import default_pattern
from w365.service.configuring.settings import set_setting
from w365.store.configuring.settings import CRM_ADDRESS, ID_PLACE
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import say_next_time, show_error

_FIELD = "crm-address"


def show_crm_address(context: PageContext, stored: str) -> None:
    """Show the address with the one that holds without it; it changes no matching, so it is saved at once."""
    may = context.actor.role >= Role.ADMIN
    usual = default_pattern(context.service)
    with st.form("crm-address-form", border=False):
        # the key carries what is stored: after a save the field shows it as it is
        text = st.text_input(
            f"Address of an account's page, {ID_PLACE} where its id belongs",
            stored,
            key=f"{_FIELD}-{hash(stored)}",
            max_chars=500,
            placeholder=usual or f"https://example.crm4.dynamics.com/main.aspx?etn=account&id={ID_PLACE}",
            help="Empty: made from the Dataverse URL.",
            disabled=not may,
        )
        if st.form_submit_button("Save address", disabled=not may):
            _save(context, text or "")


def _save(context: PageContext, text: str) -> None:
    try:
        changed = set_setting(context.service, context.actor, CRM_ADDRESS, text)
    except InputError as error:
        show_error(error)
        return
    if changed:
        say_next_time("Saved.")
        st.rerun()
