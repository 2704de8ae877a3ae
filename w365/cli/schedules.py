"""`python -m w365 schedule`: the daily syncs, and when they are due."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Annotated, Any

import typer

from w365.service import Service
from w365.service.access import local_user
from w365.service.syncing.schedules import ScheduleView, list_schedules

Open = Callable[[], AbstractContextManager[Service]]
SayRows = Callable[[bool, str, Sequence[dict[str, Any]]], None]


def schedule_command(open_service: Open, say_rows: SayRows) -> Callable[[bool], None]:
    def schedule(
        as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
    ) -> None:
        """List the daily syncs with their next and last times."""
        with open_service() as service:
            rows = [_row(one) for one in list_schedules(service, local_user())]
        say_rows(as_json, "schedules", rows)

    return schedule


def _row(one: ScheduleView) -> dict[str, Any]:
    return {
        "source": one.name,
        "daily": f"{one.daily.at:%H:%M}" if one.daily.is_on else None,
        "zone": str(one.zone) if one.zone else "this machine's",
        "next": _iso(one.due_at),
        "last": _iso(one.last.requested_at) if one.last else None,
        "last_state": one.last.state.value if one.last else None,
        "note": one.note,
    }


def _iso(at: dt.datetime | None) -> str | None:
    return at.isoformat() if at else None
