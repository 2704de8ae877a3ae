"""Counts of provider accounts by status, now and after each run, with what follows from them."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa

from w365.model import OPEN, Status
from w365.store.insight.metrics import Moment, statuses_at


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts of provider accounts by status, and of the seats that wait for a mapping."""

    mapped: int
    conflict: int
    unmapped: int
    parked: int
    excluded: int
    blocked_seats: int

    @property
    def in_scope(self) -> int:
        return self.mapped + self.conflict + self.unmapped + self.parked

    @property
    def backlog(self) -> int:
        return self.conflict + self.unmapped

    @property
    def match_rate(self) -> float | None:
        """Between 0 and 1; None where nothing is in scope."""
        return self.mapped / self.in_scope if self.in_scope else None


@dataclass(frozen=True, slots=True)
class HistoryPoint:
    """How it stood after a run. `drifted` is None for runs that did not count it yet."""

    run_id: int
    at: dt.datetime
    totals: Totals
    drifted: int | None = None


class Counted(Protocol):
    """Provider accounts of one status, and their seats."""

    @property
    def status(self) -> Status: ...
    @property
    def accounts(self) -> int: ...
    @property
    def seats(self) -> int: ...


def sum_totals(amounts: Iterable[Counted]) -> Totals:
    by_status: Counter[Status] = Counter()
    seats = 0
    for one in amounts:
        by_status[one.status] += one.accounts
        seats += one.seats if one.status in OPEN else 0
    return Totals(
        by_status[Status.MAPPED],
        by_status[Status.CONFLICT],
        by_status[Status.UNMAPPED],
        by_status[Status.PARKED],
        by_status[Status.EXCLUDED],
        seats,
    )


def totals_at(connection: sa.Connection, run_ids: Sequence[int]) -> list[Totals]:
    """Sum the snapshots that these runs left."""
    found = statuses_at(connection, run_ids)
    return [sum_totals(found[run_id]) for run_id in run_ids]


def points(connection: sa.Connection, moments: Sequence[Moment]) -> list[HistoryPoint]:
    totals = totals_at(connection, [one.run_id for one in moments])
    return [HistoryPoint(one.run_id, one.at, found, one.drifted) for one, found in zip(moments, totals, strict=True)]
