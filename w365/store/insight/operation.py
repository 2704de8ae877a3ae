"""Numbers of how the program runs, for those who watch it."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from w365.model import RunKind, RunState
from w365.store.tables import Run

_SYNCS = (RunKind.SYNC, RunKind.CRM_SYNC)


def count_runs(connection: sa.Connection) -> dict[tuple[RunKind, RunState], int]:
    """Count the runs that are kept by kind and state."""
    counted = sa.select(Run.kind, Run.state, sa.func.count()).group_by(Run.kind, Run.state)
    return {(RunKind(kind), RunState(state)): amount for kind, state, amount in connection.execute(counted)}


def find_oldest_queued(connection: sa.Connection) -> dt.datetime | None:
    """Since when the run that waits for longest has been waiting; None where none does."""
    oldest = sa.select(sa.func.min(Run.requested_at, type_=Run.requested_at.type)).where(Run.state == RunState.QUEUED)
    return connection.execute(oldest).scalar()


def find_last_syncs(connection: sa.Connection) -> dict[str, dt.datetime]:
    """When each source was last read to its end, by the target of its syncs."""
    ended = sa.func.max(Run.ended_at, type_=Run.ended_at.type)
    done = sa.select(Run.target, ended).where(Run.kind.in_(_SYNCS), Run.state == RunState.DONE).group_by(Run.target)
    return {target: at for target, at in connection.execute(done) if at is not None}
