"""Who is told how daily syncs went, on the Configuration page, and a test of it."""

from __future__ import annotations

import streamlit as st

from w365.model import Role
from w365.service.telling.notices import MAIL, ChannelView, list_channels, send_test
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import show_refusals
from w365.ui.frame.wording import plain


def show_channels(context: PageContext) -> None:
    channels = list_channels(context.service, context.actor)
    if not channels:
        st.caption(
            "Nobody is told how they went. To have a summary sent after each, by e-mail or to a webhook, set "
            "`W365_SMTP_URL` or `W365_WEBHOOK_URL`."
        )
        return
    st.markdown(f"A summary of each goes {plain(' and '.join(_say(channel) for channel in channels))}.")
    for channel in channels:
        if channel.problem:
            st.warning(plain(channel.problem))
    if context.actor.role >= Role.ADMIN and st.button("Send a test"):
        _send(context)


def _say(channel: ChannelView) -> str:
    return f"by e-mail to {channel.leads_to}" if channel.name == MAIL else f"to a webhook at {channel.leads_to}"


def _send(context: PageContext) -> None:
    with show_refusals():
        with st.spinner("Sending…"):
            problems = send_test(context.service, context.actor)
        for name, problem in problems.items():
            if problem:
                st.error(f"**The test was not sent by {name}.** {plain(problem)}")
            else:
                st.success(f"The test was sent by {name}.")
