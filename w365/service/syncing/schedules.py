"""Daily syncs as people see and set them, each change audited; `w365.service.syncing.scheduler` starts what is due."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from w365.errors import NotFound
from w365.model import Actor, Role
from w365.portals.connectors import connector_of
from w365.service import Service
from w365.service.access import needs
from w365.store.configuring.schedule_times import next_time, zone_of
from w365.store.configuring.schedules import ScheduleRow, put_schedule, read_schedules
from w365.store.configuring.setting_changes import note_change
from w365.store.configuring.settings import SCHEDULE_ZONE, put_settings, read_setting
from w365.store.db.engine import Connection
from w365.store.runs import CRM, RunView, get_run
from w365.store.syncing.providers import list_providers


@dataclass(frozen=True, slots=True)
class Daily:
    """What a person chooses: whether it starts by itself, and at what time of day."""

    is_on: bool
    at: dt.time

    def __str__(self) -> str:
        return f"daily at {self.at:%H:%M}" if self.is_on else "off"


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """The daily sync of one source. `note` says why the last one was not started; `zone` is None for the machine's."""

    target: str
    name: str
    daily: Daily
    zone: dt.tzinfo | None
    due_at: dt.datetime | None
    last: RunView | None
    note: str
    noted_at: dt.datetime | None


@needs(Role.VIEWER)
def list_schedules(service: Service, actor: Actor) -> list[ScheduleView]:
    """List every source that can be synced, the CRM last, as on the Providers page."""
    with service.store.read() as connection:
        zone = zone_of(read_setting(connection, SCHEDULE_ZONE))
        rows = read_schedules(connection)
        return [
            _view(connection, rows.get(target, ScheduleRow(target)), name, zone)
            for target, name in names_by_target(connection).items()
        ]


@needs(Role.VIEWER)
def get_schedule(service: Service, actor: Actor, target: str) -> ScheduleView:
    """Read the schedule of a provider, by its id as text, or of the CRM."""
    for schedule in list_schedules(service, actor):
        if schedule.target == target:
            return schedule
    raise _unknown()


@needs(Role.ADMIN)
def save_schedules(service: Service, actor: Actor, chosen: Mapping[str, Daily], zone: str | None = None) -> int:
    """Set the schedules of these targets and, where given, the zone of all; return how many differ from before."""
    with service.store.write() as connection:
        at = service.clock()
        changed = 0 if zone is None else put_settings(connection, actor, at, {SCHEDULE_ZONE: zone})
        kept = zone_of(read_setting(connection, SCHEDULE_ZONE))
        names, rows = names_by_target(connection), read_schedules(connection)
        for target, daily in chosen.items():
            if target not in names:
                raise _unknown()
            row = rows.get(target, ScheduleRow(target))
            if (before := Daily(row.is_on, row.at)) != daily:
                _put(connection, target, daily, next_time(at, daily.at, kept) if daily.is_on else None)
                name = f"daily sync: {names[target]}"
                note_change(connection, actor.name, at, name, str(before), str(daily))
                changed += 1
    return changed


def names_by_target(connection: Connection) -> dict[str, str]:
    """Return the name of everything that can be synced by its target."""
    providers = list_providers(connection)
    return {str(provider.id): provider.name for provider in providers if connector_of(provider.kind)} | {CRM: "CRM"}


def _view(connection: Connection, row: ScheduleRow, name: str, zone: dt.tzinfo | None) -> ScheduleView:
    last = get_run(connection, row.run_id) if row.run_id is not None else None
    return ScheduleView(row.target, name, Daily(row.is_on, row.at), zone, row.due_at, last, row.note, row.noted_at)


def _put(connection: Connection, target: str, daily: Daily, due_at: dt.datetime | None) -> None:
    values = {"time_of_day": f"{daily.at:%H:%M}", "is_on": daily.is_on, "due_at": due_at}
    put_schedule(connection, target, **values, note="", noted_at=None)


def _unknown() -> NotFound:
    return NotFound("There is no source here that can be synced.", kept="Nothing was changed.")
