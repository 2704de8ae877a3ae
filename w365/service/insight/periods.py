"""Numbers over time: the history that runs leave, people's work by the week, and two periods side by side."""

from __future__ import annotations

import datetime as dt
import enum
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import sqlalchemy as sa

from w365.errors import InputError
from w365.model import Actor, Role
from w365.service import Service
from w365.service.access import require
from w365.service.insight.totals import HistoryPoint, points, totals_at
from w365.store.insight import metrics

MOST_POINTS = 120
"""What a chart can show; of more runs, evenly spaced ones are drawn."""

WEEKS = 12

T = TypeVar("T")


class Unit(enum.StrEnum):
    COUNT = "count"
    SHARE = "share"  # 0 to 1
    SPAN = "span"  # seconds


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a period; None where there is none."""

    name: str
    unit: Unit
    value: float | None


@dataclass(frozen=True, slots=True)
class Compared:
    """One number of two periods. `difference` is the second less the first, None where either is missing."""

    name: str
    unit: Unit
    first: float | None
    second: float | None

    @property
    def difference(self) -> float | None:
        return None if self.first is None or self.second is None else self.second - self.first


@dataclass(frozen=True, slots=True)
class WeekOfWork:
    """Decisions that a person took by hand in the week (UTC) that begins on this Monday."""

    actor: str
    monday: dt.date
    decisions: int


def read_history(service: Service, actor: Actor, since: dt.datetime | None = None) -> list[HistoryPoint]:
    """Read at most MOST_POINTS of the snapshots that runs have left since then, the latest always among them."""
    require(actor, Role.VIEWER)
    with service.store.read() as connection:
        return points(connection, thinned(metrics.moments(connection, start=since), MOST_POINTS))


def read_effort(service: Service, actor: Actor, weeks: int = WEEKS) -> list[WeekOfWork]:
    """Read the work of the latest weeks, this one included; weeks begin on Monday."""
    require(actor, Role.VIEWER)
    with service.store.read() as connection:
        return effort(connection, service.clock(), weeks)


def effort(connection: sa.Connection, now: dt.datetime, weeks: int) -> list[WeekOfWork]:
    first = _monday(now.astimezone(dt.UTC).date()) - dt.timedelta(weeks=weeks - 1)
    since = dt.datetime.combine(first, dt.time(), dt.UTC)
    sums: Counter[tuple[dt.date, str]] = Counter()
    for one in metrics.work_by_day(connection, since):
        sums[_monday(one.day), one.actor] += one.decisions
    return [WeekOfWork(name, monday, count) for (monday, name), count in sorted(sums.items())]


def compare_periods(
    service: Service,
    actor: Actor,
    first: tuple[dt.datetime, dt.datetime],
    second: tuple[dt.datetime, dt.datetime],
) -> list[Compared]:
    """Put the numbers of two periods, each from a time up to another, side by side."""
    require(actor, Role.VIEWER)
    for start, end in (first, second):
        if start >= end:
            raise InputError("A period ends after it begins.", do="Choose the days again.")
    with service.store.read() as connection:
        pairs = zip(_figures(connection, *first), _figures(connection, *second), strict=True)
        return [Compared(one.name, one.unit, one.value, other.value) for one, other in pairs]


def _figures(connection: sa.Connection, start: dt.datetime, end: dt.datetime) -> list[Figure]:
    worked = metrics.worked_between(connection, start, end)
    decided = worked.mapped_by_itself + worked.mapped_by_hand
    wait = metrics.median_wait(connection, start, end)
    return [
        *_at_the_end(connection, end),
        Figure("New provider accounts", Unit.COUNT, metrics.first_seen_between(connection, start, end)),
        Figure("Mapped by Auto-Match", Unit.COUNT, worked.mapped_by_itself),
        Figure("Mapped by hand", Unit.COUNT, worked.mapped_by_hand),
        Figure("Share mapped by hand", Unit.SHARE, worked.mapped_by_hand / decided if decided else None),
        Figure("Mappings cleared", Unit.COUNT, worked.unmapped),
        Figure("Decisions by hand", Unit.COUNT, worked.by_hand),
        Figure("People who decided", Unit.COUNT, worked.people),
        Figure("Time to map (median)", Unit.SPAN, None if wait is None else wait.total_seconds()),
    ]


def _at_the_end(connection: sa.Connection, end: dt.datetime) -> list[Figure]:
    """How it stood after the last run before the end."""
    last = metrics.moments(connection, end=end, limit=1)
    totals = totals_at(connection, [one.run_id for one in last])[0] if last else None
    return [
        Figure("Match rate at the end", Unit.SHARE, totals.match_rate if totals else None),
        Figure("Backlog at the end", Unit.COUNT, totals.backlog if totals else None),
        Figure("Blocked seats at the end", Unit.COUNT, totals.blocked_seats if totals else None),
        Figure("Drifted at the end", Unit.COUNT, last[0].drifted if last else None),
    ]


def thinned(values: Sequence[T], most: int) -> list[T]:
    """Take `most` of the values at equal distances, the last one always."""
    if len(values) <= most:
        return list(values)
    step = (len(values) - 1) / (most - 1)
    return [values[round(place * step)] for place in range(most)]


def _monday(day: dt.date) -> dt.date:
    return day - dt.timedelta(days=day.weekday())
