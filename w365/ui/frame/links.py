"""Links from one page to what is to be done on another."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st


def link_to(page: str, label: str, query: Mapping[str, str] | None = None) -> None:
    """Show the way to a page (`w365.ui.frame.pages`), opened with these parameters in its address."""
    st.page_link(
        page, label=f":primary[{label}]", icon=":material/arrow_forward:", icon_position="right", query_params=query
    )
