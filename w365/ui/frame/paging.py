"""The pages of a list that is read page by page."""

from __future__ import annotations

import streamlit as st

PER_PAGE = 100


def ask_start(total: int, key: str) -> int:
    """Offer the pages and return where the chosen one starts, from 0; the first where the list became too short."""
    pages = -(-total // PER_PAGE)
    if st.session_state.get(key, 1) > pages:
        st.session_state[key] = 1
    return (st.pagination(pages, key=key) - 1) * PER_PAGE if pages > 1 else 0
