"""The Auto-Match switch: what it does now, what switching it would do, and the switching itself, confirmed."""

from __future__ import annotations

import streamlit as st

from w365.model import Role
from w365.service.configuring.settings import set_setting
from w365.service.matching.run import MatchPreview, preview_match
from w365.service.syncing.runs import request_match
from w365.ui.configuring.match_preview import preview_dialog
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import say_next_time
from w365.ui.frame.runs import is_busy, start_run
from w365.ui.frame.wording import counted

_EPOCH = "auto_match_epoch"


def show_auto_match(context: PageContext, *, is_on: bool) -> None:
    """Show the switch; it changes nothing before the change is confirmed."""
    preview = None if is_busy(context) else preview_match(context.service, context.actor)
    may = context.actor.role >= Role.ADMIN
    epoch = st.session_state.get(_EPOCH, 0)
    switches_on = st.toggle("**Auto-Match**", value=is_on, disabled=not may, key=f"auto-match-{is_on}-{epoch}")
    if switches_on != is_on:
        _confirm(context, preview, switches_on=switches_on)
        return
    st.markdown(say_auto_match(preview, is_on=is_on))
    with st.container(horizontal=True):
        offer_preview(preview)
        may_match = is_on and context.actor.role >= Role.ANALYST
        if may_match and preview and preview.total and st.button("Match now", type="primary"):
            start_run(lambda: request_match(context.service, context.actor))


def say_auto_match(preview: MatchPreview | None, *, is_on: bool) -> str:
    """Say what Auto-Match does now, and with what; while a run is under way that is not known yet."""
    if preview is None:
        does = "maps what is certain" if is_on else "nothing is mapped by itself"
        return f"Auto-Match is **{'on' if is_on else 'off'}**: {does}. A run is under way; the numbers follow."
    ready = counted(preview.total, "provider account")
    if is_on:
        waits = f"the next match maps **{ready}**" if preview.total else "none waits for it now"
        return f"Auto-Match is **on**: after every sync, one supported account is mapped; {waits}."
    would = f"the next match would map **{ready}**" if preview.total else "the next match would map none"
    return f"Auto-Match is **off**: nothing is mapped by itself. If it were on, {would}."


def offer_preview(preview: MatchPreview | None) -> None:
    """The button stays where it is while there is nothing to show, so that what is below does not move with a run."""
    has_some = preview is not None and preview.total > 0
    if st.button("Preview", disabled=not has_some) and preview:
        preview_dialog(preview)


def _confirm(context: PageContext, preview: MatchPreview | None, *, switches_on: bool) -> None:
    ready = counted(preview.total, "provider account") if preview else "what is certain"
    if switches_on:
        text = f"**Switch Auto-Match on?** The next match, after a sync or at once on demand, maps **{ready}**."
    else:
        text = (
            "**Switch Auto-Match off?** Syncs go on and candidates are still found, but nothing is mapped by itself. "
            "The mappings made so far stay."
        )
    st.warning(text)
    with st.container(horizontal=True):
        if st.button("Switch on" if switches_on else "Switch off", type="primary"):
            set_setting(context.service, context.actor, "auto_match", "true" if switches_on else "false")
            done = (
                f"Auto-Match is on. The next match maps {ready}."
                if switches_on
                else "Auto-Match is off. Mappings stay."
            )
            say_next_time(done)
            st.rerun()
        if st.button("Leave it as it is"):
            st.session_state[_EPOCH] = st.session_state.get(_EPOCH, 0) + 1
            st.rerun()
        if switches_on:
            offer_preview(preview)
