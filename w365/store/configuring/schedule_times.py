"""When something that happens once a day happens next, in a zone whose clocks may change.

A zone is a `tzinfo`, or None for the zone of this machine.
"""

from __future__ import annotations

import bisect
import datetime as dt
import functools
from zoneinfo import ZoneInfo, available_timezones

import sqlalchemy as sa

from w365.errors import InputError
from w365.store.configuring.schedules import put_schedule, read_schedules

_SECOND = dt.timedelta(seconds=1)


@functools.cache
def zone_names() -> tuple[str, ...]:
    """Name the zones that this machine knows; it reads many files for it."""
    return tuple(sorted(available_timezones()))


def parse_zone(text: str) -> str:
    """Check the name of a zone; empty is the machine's."""
    if text and text not in zone_names():
        raise InputError(f"“{text[:80]}” is no time zone.", do="Give a name such as Europe/Berlin, or nothing.")
    return text


def zone_of(name: str) -> dt.tzinfo | None:
    return ZoneInfo(name) if name else None


def find_moment(day: dt.date, at: dt.time, zone: dt.tzinfo | None) -> dt.datetime:
    """The moment, in UTC, at which the clocks show this time of this day.

    The first one where they show it twice; where they skip it, the first after what they skip.
    """
    local = dt.datetime.combine(day, at)
    early, late = sorted(_to_utc(local.replace(fold=fold), zone) for fold in (0, 1))
    if _to_local(early, zone) == local:
        return early
    seconds = range(int((late - early).total_seconds()) + 1)
    return early + _SECOND * bisect.bisect_left(
        seconds, True, key=lambda passed: _to_local(early + _SECOND * passed, zone) >= local
    )


def next_time(after: dt.datetime, at: dt.time, zone: dt.tzinfo | None) -> dt.datetime:
    """The first such moment later than `after`, however many were missed before."""
    today = _to_local(after, zone).date()
    # From yesterday on: a time that is skipped at the end of a day falls into the next.
    days = (today + dt.timedelta(days=shift) for shift in range(-1, 4))
    return next(due_at for day in days if (due_at := find_moment(day, at, zone)) > after)


def plan_anew(connection: sa.Connection, zone: dt.tzinfo | None, at: dt.datetime) -> None:
    """Bring what is on to another zone."""
    for row in read_schedules(connection).values():
        if row.is_on:
            put_schedule(connection, row.target, due_at=next_time(at, row.at, zone))


def _to_utc(local: dt.datetime, zone: dt.tzinfo | None) -> dt.datetime:
    return (local if zone is None else local.replace(tzinfo=zone)).astimezone(dt.UTC)


def _to_local(at: dt.datetime, zone: dt.tzinfo | None) -> dt.datetime:
    return at.astimezone(zone).replace(tzinfo=None)
