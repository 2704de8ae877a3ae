"""Counts of provider accounts by status, now and after each run, with what follows from them."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from w365.model import OPEN, Status
from w365.store.db.engine import Connection
from w365.store.insight.metrics import Moment, read_statuses_at


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


def sum_totals(counts: Iterable[Counted]) -> Totals:
    accounts: Counter[Status] = Counter()
    blocked_seats = 0
    for count in counts:
        accounts[count.status] += count.accounts
        blocked_seats += count.seats if count.status in OPEN else 0
    return Totals(
        accounts[Status.MAPPED],
        accounts[Status.CONFLICT],
        accounts[Status.UNMAPPED],
        accounts[Status.PARKED],
        accounts[Status.EXCLUDED],
        blocked_seats,
    )


def read_points(connection: Connection, moments: Sequence[Moment]) -> list[HistoryPoint]:
    """Sum the snapshots that these runs left."""
    counts = read_statuses_at(connection, [moment.run_id for moment in moments])
    return [
        HistoryPoint(moment.run_id, moment.at, sum_totals(counts[moment.run_id]), moment.drifted) for moment in moments
    ]
