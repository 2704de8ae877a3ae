"""The main script: names the pages. It lies apart from `pages/`, so that none of them is served without its guard.

Streamlit would serve a `pages` folder beside the main script by itself.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from w365.ui.frame import places
from w365.ui.frame.palette import DARK_STYLE, is_dark

_ICON = Path(__file__).resolve().parent / "static" / "icon.png"

st.set_page_config(page_title="W365 Provider Accounts", page_icon=str(_ICON), layout="wide")
if is_dark():
    st.html(DARK_STYLE)
st.logo(str(_ICON), size="large")
st.navigation(
    {
        "Work": [
            st.Page(places.OVERVIEW, title="Overview", default=True),
            st.Page(places.REVIEW, title="Review"),
            st.Page(places.PROVIDER_ACCOUNTS, title="Provider accounts"),
            st.Page(places.CONFLICTS, title="Conflicts"),
            st.Page(places.SUBSCRIPTIONS, title="Subscriptions"),
            st.Page(places.ONBOARDING, title="Onboard a customer", visibility="hidden"),
            st.Page(places.ACCOUNT, title="CRM account", visibility="hidden"),
        ],
        "Insight": [
            st.Page(places.STATISTICS, title="Statistics"),
            st.Page(places.AUDIT, title="Sample audit"),
            st.Page(places.QUALITY, title="Data quality"),
            st.Page(places.ACTIVITY, title="Activity"),
        ],
        "Set-up": [
            st.Page(places.PROVIDERS, title="Providers"),
            st.Page(places.IMPORT, title="Import"),
            st.Page(places.CONFIGURATION, title="Configuration"),
        ],
    }
).run()
