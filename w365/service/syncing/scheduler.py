"""Start the daily syncs that are due.

Each is started by one worker, however many look, and once, however many days were missed. One that meets a sync under
way is skipped with a note.
"""

from __future__ import annotations

import logging

import sqlalchemy as sa

from w365.errors import AlreadyRunning
from w365.model import RunKind
from w365.service import Service
from w365.service.syncing.providers import CRM_TARGET
from w365.service.syncing.schedules import names_by_target
from w365.service.telling.notices import SCHEDULE, channels_of
from w365.store.configuring.schedule_times import next_time, zone_of
from w365.store.configuring.schedules import ScheduleRow, forget_schedule, put_schedule, schedule_rows, take_due
from w365.store.configuring.settings import SCHEDULE_ZONE, read_setting
from w365.store.connecting.connections import CRM
from w365.store.runs import request_run
from w365.store.telling.notices import announce

_log = logging.getLogger(__name__)


def start_due(service: Service) -> list[int]:
    """Queue what is due and return the runs' ids."""
    at = service.clock()
    with service.store.read() as database:
        if not schedule_rows(database, due_by=at):
            return []
    with service.store.write() as database:
        zone = zone_of(read_setting(database, SCHEDULE_ZONE))
        names = names_by_target(database)
        started = [
            _start(service, database, row, names.get(row.target))
            for row in schedule_rows(database, due_by=at).values()
            if take_due(database, row, next_time(at, row.at, zone))
        ]
    return [run_id for run_id in started if run_id is not None]


def _start(service: Service, database: sa.Connection, row: ScheduleRow, name: str | None) -> int | None:
    at = service.clock()
    if name is None:  # the provider was removed
        forget_schedule(database, row.target)
        return None
    kind, target = (RunKind.CRM_SYNC, CRM_TARGET) if row.target == CRM else (RunKind.SYNC, name)
    try:
        run_id = request_run(database, kind, target, SCHEDULE, at)
    except AlreadyRunning as error:
        _log.info("the daily sync of %r was skipped: %s", name, error.what)
        put_schedule(database, row.target, note=f"Skipped. {error.what}", noted_at=at)
        return None
    put_schedule(database, row.target, run_id=run_id, note="", noted_at=None)
    announce(database, run_id, channels_of(service.settings), at)
    return run_id
