"""Daily syncs on the Configuration page: a switch and a time for each source, and the zone they are meant in."""

from __future__ import annotations

import streamlit as st

from w365.model import Role
from w365.service.syncing.schedules import Daily, ScheduleView, list_schedules, save_schedules
from w365.store.configuring.schedule_times import zone_names
from w365.ui.configuring.schedule_words import say_zone
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import say_next_time, show_refusals
from w365.ui.frame.wording import clock_time, counted, local_zone, plain, short


def show_schedules(context: PageContext, zone: str) -> None:
    views = list_schedules(context.service, context.actor)
    may = context.actor.role >= Role.ADMIN
    st.caption(
        "A match follows each of them. What was missed because no worker ran is made up for once; a sync that meets "
        "one under way is skipped."
    )
    with st.form("schedules", border=False):
        chosen_zone = _ask_zone(context, zone, may=may)
        entered = {schedule.target: _ask(context, schedule, may=may) for schedule in views}
        if st.form_submit_button("Save daily syncs", disabled=not may):
            _save(context, entered, chosen_zone)


def _ask_zone(context: PageContext, stored: str, *, may: bool) -> str:
    own = f"This machine's ({say_zone(None, context.service.clock())})"
    names = ["", *zone_names()]
    return (
        st.selectbox(
            "Time zone",
            names,
            index=names.index(stored),
            format_func=lambda name: name or own,
            key=f"schedule-zone-{stored}",
            width=360,
            disabled=not may,
        )
        or ""
    )


def _ask(context: PageContext, view: ScheduleView, *, may: bool) -> Daily:
    # the keys carry what is stored: after a save the fields show it as it is
    key = f"schedule-{view.target}-{view.daily}"
    with st.container(horizontal=True, vertical_alignment="center"):
        is_on = st.toggle(
            f"Sync {plain(short(view.name))} daily", view.daily.is_on, key=f"{key}-on", width=240, disabled=not may
        )
        at = st.time_input(
            f"Time for {plain(short(view.name))}",
            view.daily.at,
            key=f"{key}-at",
            step=900,
            width=120,
            label_visibility="collapsed",
            disabled=not may,
        )
        if view.due_at:
            st.caption(f"Next {clock_time(view.due_at, context.service.clock(), local_zone())}", width="content")
    return Daily(is_on, at or view.daily.at)


def _save(context: PageContext, entered: dict[str, Daily], zone: str) -> None:
    with show_refusals():
        changed = save_schedules(context.service, context.actor, entered, zone)
        if changed:
            say_next_time(f"{counted(changed, 'change')} saved.")
            st.rerun()
