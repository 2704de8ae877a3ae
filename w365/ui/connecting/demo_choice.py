"""Leaving the demo for one's own data, and the way back while nothing of one's own is there."""

from __future__ import annotations

import streamlit as st

from w365.model import Role
from w365.service.own_data import can_return_to_demo, leave_demo, return_to_demo
from w365.ui.frame import app_runtime
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import show_refusals


def offer_to_leave_demo(context: PageContext) -> None:
    if not context.service.settings.is_demo or context.actor.role < Role.ADMIN:
        return
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        st.markdown("These are fictional customers. **Connect your own** in a new, empty database.")
        if st.button("Leave the demo…"):
            _confirm(context)


@st.dialog("Leave the demo?")
def _confirm(context: PageContext) -> None:
    st.markdown(
        "The app goes on with your own database, which is empty at first. The demo stays as it is in its own folder, "
        "and you can return to it until you have connected something."
    )
    if st.button("Leave the demo", type="primary"):
        with show_refusals():
            leave_demo(context.service, context.actor)
            _open_the_other()


def offer_to_return(context: PageContext) -> None:
    if can_return_to_demo(context.service, context.actor) and st.button("Return to the demo", type="tertiary"):
        return_to_demo(context.service, context.actor)
        _open_the_other()


def _open_the_other() -> None:
    """Let the background open the other database; what this session knows belongs to the old one."""
    st.session_state.clear()
    app_runtime.start_over()
    st.rerun()
