"""A search of the whole CRM as one types."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from w365.api.parameters import LONGEST_TEXT
from w365.service.reading.account_lookup import search_accounts
from w365.store.reading.account_hits import Hit
from w365.ui.frame.page_context import PageContext

_MOST = 8


def search_crm(
    context: PageContext,
    label: str,
    key: str,
    *,
    row: int | None = None,
    width: int | Literal["stretch"] = "stretch",
) -> list[Hit] | None:
    """Offer the search and return what was found, for a row of the grid if it is given; None while nothing is typed."""
    text = st.text_input(
        label, key=key, type="search", live="200ms", placeholder="Name, domain or account number", width=width
    )
    if not text or not text.strip():
        return None
    return search_accounts(context.service, context.actor, text[:LONGEST_TEXT], limit=_MOST, row=row)
