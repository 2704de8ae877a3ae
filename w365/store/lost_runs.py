"""Running runs whose process is gone: how that is noticed, and what becomes of them.

A process writes with its run, every few seconds, what time it has (`heartbeat_at`). Whoever looks compares that with
what stood there before, never with a clock: clocks are set, and differ. A process of its own machine it asks for.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterable

import sqlalchemy as sa

from w365.model import RunKind, RunState
from w365.process_names import is_alive
from w365.store.tables import ACTIVE_RUNS, Run

LEASE_SECONDS = 60.0
"""For how long a process that lives may give no sign."""

LOOK_SECONDS = 15.0
"""How often one looks who is gone. A look after a longer time counts as one after this: the whole machine may have
slept, and a process that wakes up beside the one that looks has had no time for a sign."""

TRIES = 2
"""So many processes take a run up, the second by itself. One that kills them is not tried for ever."""

_FORGOTTEN = dt.timedelta(hours=2)
"""What a single look believes of a process of another machine; more than clocks are set by."""


class Watch:
    """Sees which running runs give no sign of life, by the time that passes for itself."""

    def __init__(self, passed: Callable[[], float] = time.monotonic) -> None:
        self._passed = passed
        self._looked = passed()
        self._silent: dict[int, tuple[dt.datetime | None, float]] = {}

    def find_lost(self, connection: sa.Connection) -> list[int]:
        """Give the runs whose process ended, or is silent for longer than the lease; ask within a write transaction.

        While a match writes nobody else does: whoever looked meanwhile would take that for silence.
        """
        before, looked = self._silent, self._looked
        self._looked = self._passed()
        counted = min(self._looked - looked, LOOK_SECONDS)
        rows = connection.execute(_RUNNING).all()
        self._silent = {row.id: _count_silence(before.get(row.id), row.heartbeat_at, counted) for row in rows}
        return [row.id for row in rows if self._silent[row.id][1] > LEASE_SECONDS or is_alive(row.holder) is False]


def _count_silence(
    before: tuple[dt.datetime | None, float] | None, sign: dt.datetime | None, counted: float
) -> tuple[dt.datetime | None, float]:
    return (sign, before[1] + counted) if before and before[0] == sign else (sign, 0.0)


def release_lost(connection: sa.Connection, run_ids: Iterable[int], at: dt.datetime) -> list[int]:
    """Queue each of these running runs once more, or end it; return those that ended as interrupted.

    It goes on as what it was, on behalf of the same person: a sync at its page, a change of many rows with the rows
    that are left, all else from its beginning. It ends where a person had cancelled it, and where that process was its
    second.
    """
    ended = []
    for run_id in run_ids:
        run = connection.execute(_ONE, {"the_run": run_id}).one()
        if run.cancel_requested:
            _end(connection, run_id, RunState.CANCELLED, at, CANCELLED_LATE)
        elif run.tries < TRIES:
            values = {"state": RunState.QUEUED, "message": "Its process ended early; it goes on by itself."}
            connection.execute(_RELEASE, {"the_run": run_id, **values})
        else:
            _end(connection, run_id, RunState.INTERRUPTED, at, _say_lost(RunKind(run.kind), run.tries))
            ended.append(run_id)
    return ended


def give_up_lost(connection: sa.Connection, kind: RunKind, target: str, at: dt.datetime) -> None:
    """End the run of this kind and target if its process is known to be gone: somebody asks for the next."""
    for run in connection.execute(_RUNNING.where(Run.kind == kind, Run.target == target)).all():
        is_silent = run.heartbeat_at is not None and run.heartbeat_at < at - _FORGOTTEN
        lives = is_alive(run.holder)
        if lives is False or (lives is None and is_silent):
            _end(connection, run.id, RunState.INTERRUPTED, at, _say_lost(kind, 1))


CANCELLED_LATE = "The run was cancelled; its process had ended. What was written before was kept."
_EARLY = "The process that did this ended early."
_TWICE = "The process that did this ended early, and so did the one that went on by itself."
_KEPT = {
    RunKind.BULK: "What was done before was kept, and Undo takes it back; choose the rest again.",
    RunKind.IMPORT: "Nothing was imported; import the file again.",
}
_KEPT |= {RunKind.UNDO: _KEPT[RunKind.BULK], RunKind.MAPPING_IMPORT: _KEPT[RunKind.IMPORT]}


def _say_lost(kind: RunKind, tries: int) -> str:
    kept = _KEPT.get(kind, "What it had written was kept; the next run goes on there.")
    return f"{_TWICE if tries >= TRIES else _EARLY} {kept}"


def _end(connection: sa.Connection, run_id: int, state: RunState, at: dt.datetime, error: str) -> None:
    values = {"state": state, "ended_at": at, "error": error, "message": ""}
    connection.execute(_RELEASE, {"the_run": run_id, **values})


_RUNNING = sa.select(Run.id, Run.heartbeat_at, Run.holder).where(sa.text(ACTIVE_RUNS), Run.state == RunState.RUNNING)
_IS_RUN = Run.id == sa.bindparam("the_run")
_ONE = sa.select(Run.kind, Run.tries, Run.cancel_requested).where(_IS_RUN)
_RELEASE = sa.update(Run).where(_IS_RUN, Run.state == RunState.RUNNING)
"""Sets what else is given with it."""
