"""Which runs wait or are under way."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import sqlalchemy as sa

from w365.model import RunKind, RunState
from w365.store.tables import ACTIVE_RUNS, Run

_IS_ACTIVE = sa.text(ACTIVE_RUNS)


def is_under_way(connection: sa.Connection, target: str) -> bool:
    """Whether a run of whatever kind waits or is worked on for this target."""
    return connection.scalar(_ACTIVE.where(Run.target == target)) is not None


def is_run_active(connection: sa.Connection, run_id: int) -> bool:
    """Whether a run waits or is under way."""
    return connection.scalar(_ACTIVE.where(Run.id == run_id)) is not None


def is_any_running(connection: sa.Connection, *, but: Iterable[RunKind]) -> bool:
    """Whether a run of another kind than these is worked on."""
    return connection.scalar(_ACTIVE.where(Run.state == RunState.RUNNING, Run.kind.not_in(but))) is not None


def next_queued(connection: sa.Connection, kinds: Collection[RunKind]) -> int | None:
    """Give the run that waits longest, of those of these kinds."""
    return min((run_id for run_id, kind in connection.execute(_QUEUED) if kind in kinds), default=None)


_ACTIVE = sa.select(Run.id).where(_IS_ACTIVE).limit(1)
_QUEUED = sa.select(Run.id, Run.kind).where(_IS_ACTIVE, Run.state == RunState.QUEUED)
"""In no order: to find the first, SQLite would read all runs there ever were."""
