"""Start the daily syncs that are due.

Each is started by one worker, however many look, and once, however many days were missed. One that meets a sync under
way is skipped with a note.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from w365.errors import AlreadyRunning
from w365.model import RunKind
from w365.service import Service
from w365.service.syncing.schedules import names_by_target
from w365.store.configuring.schedule_times import next_time, zone_of
from w365.store.configuring.schedules import ScheduleRow, forget_schedule, put_schedule, read_schedules, take_due
from w365.store.configuring.settings import SCHEDULE_ZONE, read_setting
from w365.store.db.engine import Connection
from w365.store.runs import CRM, SCHEDULE, request_run

OnStart = Callable[[Service, Connection, int], None]
"""Hears of a run in the transaction that asks for it, so that what is noted about it is noted whatever breaks."""

_log = logging.getLogger(__name__)


def start_due(service: Service, on_start: OnStart | None = None) -> list[int]:
    """Queue what is due and return the runs' ids."""
    at = service.clock()
    with service.store.read() as connection:
        if not read_schedules(connection, due_by=at):
            return []
    with service.store.write() as connection:
        zone = zone_of(read_setting(connection, SCHEDULE_ZONE))
        names = names_by_target(connection)
        asked_for = [
            _ask_for_sync(service, connection, row, names.get(row.target))
            for row in read_schedules(connection, due_by=at).values()
            if take_due(connection, row, next_time(at, row.at, zone))
        ]
        started = [run_id for run_id in asked_for if run_id is not None]
        if on_start:
            for run_id in started:
                on_start(service, connection, run_id)
    return started


def _ask_for_sync(service: Service, connection: Connection, row: ScheduleRow, name: str | None) -> int | None:
    """Queue the sync of one row; None where it is skipped, or its provider was removed."""
    at = service.clock()
    if name is None:
        forget_schedule(connection, row.target)
        return None
    kind, target = (RunKind.CRM_SYNC, CRM) if row.target == CRM else (RunKind.SYNC, name)
    try:
        run_id = request_run(connection, kind, target, SCHEDULE, at)
    except AlreadyRunning as error:
        _log.info("the daily sync of %r was skipped: %s", name, error.what)
        put_schedule(connection, row.target, note=f"Skipped. {error.what}", noted_at=at)
        return None
    put_schedule(connection, row.target, run_id=run_id, note="", noted_at=None)
    return run_id
