"""What a match would map, before it does."""

from __future__ import annotations

import streamlit as st

from w365.service.matching.run import MatchPreview
from w365.ui.frame.wording import counted, number


@st.dialog("What the next match would map", width="large")
def preview_dialog(preview: MatchPreview) -> None:
    show_mappings(preview)


def show_mappings(preview: MatchPreview) -> None:
    rows = [
        {"Provider account": mapping.provider_account, "Provider": mapping.provider, "CRM account": mapping.account}
        for mapping in preview.mappings
    ]
    st.markdown(f"**{counted(preview.total, 'provider account')}**; {number(preview.conflicts)} in conflict stay open.")
    st.dataframe(rows, hide_index=True, alt="Would-be mappings")
    if len(rows) < preview.total:
        st.caption(f"The first {number(len(rows))} by name are shown.")
