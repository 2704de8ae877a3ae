"""What pages about provider accounts say while there are none: where they come from."""

from __future__ import annotations

import streamlit as st

from w365.service.reading.records import has_any
from w365.ui.frame import pages
from w365.ui.frame.links import link_to
from w365.ui.frame.page_context import PageContext


def is_beginning(context: PageContext) -> bool:
    """Tell whether there is no provider account yet, and say so with the next step."""
    if has_any(context.service, context.actor):
        return False
    st.info("There are no provider accounts yet. Sync a provider, or import a list of customers.")
    with st.container(horizontal=True):
        link_to(pages.PROVIDERS.path, "Go to Providers")
        link_to(pages.IMPORT.path, "Import a list")
    return True
