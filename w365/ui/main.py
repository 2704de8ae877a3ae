"""The main script: draws the navigation. It lies apart from `pages/`, so that none of them is served without its guard.

Streamlit would serve a `pages` folder beside the main script by itself.
"""

from __future__ import annotations

import base64
from pathlib import Path

import streamlit as st

from w365.model import Role
from w365.ui.frame import app_runtime
from w365.ui.frame.pages import PAGES, WORK, Page
from w365.ui.frame.palette import DARK_STYLE, is_dark
from w365.ui.frame.visitor import find_role

_PICTURE = (Path(__file__).resolve().parent / "static" / "icon.png").read_bytes()
_ICON = f"data:image/png;base64,{base64.b64encode(_PICTURE).decode('ascii')}"
"""In the page itself: files beside it are for people who are signed in."""


def _listed(page: Page, role: Role | None) -> st.Page:
    """Make Streamlit's own of a page.

    One without a group, or for a higher role, has an address, but no line in the navigation.
    """
    return st.Page(
        page.path,
        title=page.title,
        icon=page.icon_name,
        default=page is PAGES[0],
        visibility="visible" if page.group and page.role <= (role or Role.VIEWER) else "hidden",
    )


st.set_page_config(page_title="W365 Provider Accounts", page_icon=_ICON, layout="wide")
if is_dark():
    st.html(DARK_STYLE)
st.logo(_ICON, size="large")
role = find_role()
groups: dict[str, list[st.Page]] = {}
for entry in PAGES:
    groups.setdefault(entry.group or WORK, []).append(_listed(entry, role))
# expanded: Streamlit would hide the last of them, as they are more than twelve
st.navigation(groups, position="hidden" if role is None else "sidebar", expanded=True).run()
app_runtime.go_on_importing()
