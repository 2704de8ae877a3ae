"""The runs that write mappings to the CRM's table, or compare it with ours, and when they go on by themselves."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from w365.errors import AlreadyRunning
from w365.model import RunKind, RunState
from w365.store import tables as t
from w365.store.run_counts import Count
from w365.store.runs import BY_ITSELF, RunView, latest_run, request_run

TARGET = "mappings"
_LONGEST_PAUSE = dt.timedelta(hours=1)
_STOPPED = (RunState.FAILED, RunState.CANCELLED)


def get_last_run(connection: sa.Connection, kind: RunKind = RunKind.WRITEBACK) -> RunView | None:
    """Read the latest run that wrote, or compared; None before the first."""
    return latest_run(connection, kind, TARGET)


def find_next_start(last: RunView | None) -> dt.datetime | None:
    """Say when a run may begin by itself after one that could not write at all; None: whenever something is due.

    The pause is a minute at first, then twice as long each time, at most an hour.
    """
    if last is None or last.state not in _STOPPED or last.ended_at is None:
        return None
    failures = min(last.result[Count.FAILURES], 12)
    return last.ended_at + min(dt.timedelta(minutes=2**failures), _LONGEST_PAUSE)


def request_by_itself(connection: sa.Connection, at: dt.datetime) -> int | None:
    """Queue a run that a decision made due, in the place of the earlier ones; None where one is under way.

    It knows how many before it failed in a row.
    """
    last = get_last_run(connection)
    failures = last.result[Count.FAILURES] + 1 if last and last.state is RunState.FAILED else 0
    try:
        run_id = request_run(connection, RunKind.WRITEBACK, TARGET, BY_ITSELF, at)
    except AlreadyRunning:
        return None
    _forget_earlier(connection, run_id)
    connection.execute(sa.update(t.Run).where(t.Run.id == run_id).values(result={Count.FAILURES: failures}))
    return run_id


def _forget_earlier(connection: sa.Connection, run_id: int) -> None:
    run = t.Run
    earlier = sa.and_(run.kind == RunKind.WRITEBACK, run.actor == BY_ITSELF, run.id < run_id)
    connection.execute(sa.delete(t.RunProblem).where(t.RunProblem.run_id.in_(sa.select(run.id).where(earlier))))
    connection.execute(sa.delete(run).where(earlier))
