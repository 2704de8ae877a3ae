"""Numbers over time: the history that runs leave, people's work by the week, and two periods side by side."""

from __future__ import annotations

import datetime as dt
import enum
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from w365.errors import InputError
from w365.model import Actor, Role
from w365.service import Service
from w365.service.access import needs
from w365.service.insight.totals import HistoryPoint, read_points
from w365.store.db.engine import Connection
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


@needs(Role.VIEWER)
def read_history(service: Service, actor: Actor, since: dt.datetime | None = None) -> list[HistoryPoint]:
    """Read at most MOST_POINTS of the snapshots that runs have left since then, the latest always among them."""
    with service.store.read() as connection:
        return read_points(connection, thin_out(metrics.list_moments(connection, start=since)))


@needs(Role.VIEWER)
def read_effort(service: Service, actor: Actor) -> list[WeekOfWork]:
    """Read the work of the latest weeks, this one included; weeks begin on Monday."""
    with service.store.read() as connection:
        days = metrics.count_work_by_day(connection, _begin_of(service.clock()))
    decisions: Counter[tuple[dt.date, str]] = Counter()
    for work in days:
        decisions[_monday_of(work.day), work.actor] += work.decisions
    return [WeekOfWork(name, monday, count) for (monday, name), count in sorted(decisions.items())]


def _begin_of(now: dt.datetime) -> dt.datetime:
    """The Monday (UTC) that the latest weeks, this one included, begin with."""
    first = _monday_of(now.astimezone(dt.UTC).date()) - dt.timedelta(weeks=WEEKS - 1)
    return dt.datetime.combine(first, dt.time(), dt.UTC)


@needs(Role.VIEWER)
def compare_periods(
    service: Service,
    actor: Actor,
    first: tuple[dt.datetime, dt.datetime],
    second: tuple[dt.datetime, dt.datetime],
) -> list[Compared]:
    """Put the numbers of two periods, each from a time up to another, side by side."""
    for start, end in (first, second):
        if start >= end:
            raise InputError("A period ends after it begins.", do="Choose the days again.")
    with service.store.read() as connection:
        figures = zip(_read_figures(connection, *first), _read_figures(connection, *second), strict=True)
        return [Compared(before.name, before.unit, before.value, after.value) for before, after in figures]


def _read_figures(connection: Connection, start: dt.datetime, end: dt.datetime) -> list[Figure]:
    work = metrics.count_work(connection, start, end)
    wait = metrics.find_median_wait(connection, start, end)
    return [
        *_read_figures_at(connection, end),
        Figure("New provider accounts", Unit.COUNT, metrics.count_first_seen(connection, start, end)),
        Figure("Mapped by Auto-Match", Unit.COUNT, work.mapped.by_match),
        Figure("Mapped by hand", Unit.COUNT, work.mapped.by_hand),
        Figure("Share mapped by hand", Unit.SHARE, work.mapped.share_by_hand),
        Figure("Mappings cleared", Unit.COUNT, work.unmapped),
        Figure("Decisions by hand", Unit.COUNT, work.by_hand),
        Figure("People who decided", Unit.COUNT, work.people),
        Figure("Time to map (median)", Unit.SPAN, None if wait is None else wait.total_seconds()),
    ]


def _read_figures_at(connection: Connection, end: dt.datetime) -> list[Figure]:
    """How it stood after the last run before the end."""
    points = read_points(connection, metrics.list_moments(connection, end=end, limit=1))
    last = points[0] if points else None
    return [
        Figure("Match rate at the end", Unit.SHARE, last.totals.match_rate if last else None),
        Figure("Backlog at the end", Unit.COUNT, last.totals.backlog if last else None),
        Figure("Blocked seats at the end", Unit.COUNT, last.totals.blocked_seats if last else None),
        Figure("Drifted at the end", Unit.COUNT, last.drifted if last else None),
    ]


def thin_out(values: Sequence[T]) -> list[T]:
    """Take at most MOST_POINTS of the values, at equal distances, the last one always."""
    if len(values) <= MOST_POINTS:
        return list(values)
    step = (len(values) - 1) / (MOST_POINTS - 1)
    return [values[round(place * step)] for place in range(MOST_POINTS)]


def _monday_of(day: dt.date) -> dt.date:
    return day - dt.timedelta(days=day.weekday())
