"""Daily syncs in words: on the cards of the Providers page and beside the sources of the Overview."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from w365.model import Role, RunState
from w365.service.syncing.schedules import ScheduleView, get_schedule, list_schedules
from w365.ui.frame import pages
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.wording import clock_time, local_zone, plain

_STATE_WORDS = {
    RunState.QUEUED: "waits for a worker",
    RunState.RUNNING: "is running",
    RunState.DONE: "is done",
    RunState.FAILED: "failed",
    RunState.CANCELLED: "was cancelled",
    RunState.INTERRUPTED: "was interrupted",
}


def show_schedule(context: PageContext, target: str) -> None:
    """Say when the source is synced by itself next, what came of the last time, and lead to where it is set."""
    view = get_schedule(context.service, context.actor, target)
    now, zone = context.service.clock(), local_zone()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(plain(say_schedule(view, now, zone)), width="content")
        if context.actor.role >= Role.ADMIN:
            st.page_link(pages.CONFIGURATION.path, label=":primary[Daily syncs]")


def say_next_times(context: PageContext) -> dict[str, str]:
    """Say by target when what starts by itself starts next."""
    now, zone = context.service.clock(), local_zone()
    return {
        schedule.target: f"Next sync {clock_time(schedule.due_at, now, zone)}"
        for schedule in list_schedules(context.service, context.actor)
        if schedule.due_at
    }


def say_schedule(view: ScheduleView, now: dt.datetime, zone: dt.tzinfo) -> str:
    if view.due_at is None:
        return "No daily sync is set."
    parts = [f"Next sync {clock_time(view.due_at, now, zone)}, {view.daily} {say_zone(view.zone, view.due_at)}."]
    if view.note and view.noted_at:
        parts.append(f"{clock_time(view.noted_at, now, zone)}: {view.note}")
    elif view.last:
        began = clock_time(view.last.requested_at, now, zone)
        parts.append(f"The last one began {began} and {_STATE_WORDS[view.last.state]}.")
    return " ".join(parts)


def say_zone(zone: dt.tzinfo | None, at: dt.datetime) -> str:
    """Name the zone; that of the machine by what its clocks are called at this moment."""
    return str(zone) if zone else f"{at.astimezone():%Z}"
