"""The pages of a list that is read page by page."""

from __future__ import annotations

import streamlit as st


def ask_page(total: int, per_page: int, key: str) -> int:
    """Offer the pages and return the chosen one, from 1. Where the list became shorter than that, it is the first."""
    pages = -(-total // per_page)
    if st.session_state.get(key, 1) > pages:
        st.session_state[key] = 1
    return st.pagination(pages, key=key) if pages > 1 else 1
