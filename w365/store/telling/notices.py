"""The rows of `notice`: which runs are still to be told, over which channel."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from w365.model import RunKind, RunState
from w365.store import tables as t
from w365.store.runs import ACTIVE, RunView, get_run

WAITS = (dt.timedelta(minutes=5), dt.timedelta(minutes=30))
"""After a try that failed, and after the second; a third is the last. A process that dies while it tells is one."""

_SETTLED = dt.timedelta(seconds=20)
_LONGEST = dt.timedelta(minutes=30)
_NEWS = dt.timedelta(days=1)


def add_notices(database: sa.Connection, run_id: int, channels: Iterable[str], at: dt.datetime) -> None:
    rows = [{"run_id": run_id, "channel": channel, "tries": 0, "try_at": at, "problem": ""} for channel in channels]
    if rows:
        database.execute(sa.insert(t.Notice), rows)


def list_untold(database: sa.Connection, channel: str, but: str, at: dt.datetime) -> list[int]:
    """List what failed or was interrupted since yesterday and is not noted yet, without the runs of the actor `but`."""
    noted = sa.exists().where(t.Notice.run_id == t.Run.id, t.Notice.channel == channel)
    broken = (t.Run.state.in_(_BROKEN), t.Run.actor != but, t.Run.ended_at > at - _NEWS)
    return list(database.scalars(sa.select(t.Run.id).where(_IS_LATE, *broken, ~noted)))


def list_ready_runs(database: sa.Connection, channel: str, actor: str, at: dt.datetime) -> list[int]:
    """List the ended runs, by id, that are to be told now, all in one.

    None while a run of this actor is under way, so that a morning is one message with the match at its end; but after
    half an hour what has ended is not held back any longer. What ended a day ago is no news: a channel that is set
    anew does not begin with the past.
    """
    waiting = (t.Notice.channel == channel, t.Notice.told_at.is_(None), t.Notice.try_at <= at)
    query = sa.select(t.Run.id, t.Run.ended_at).join(t.Notice, t.Notice.run_id == t.Run.id)
    few = t.Notice.tries <= len(WAITS)
    ended = database.execute(query.where(*waiting, few, t.Run.ended_at > at - _NEWS).order_by(t.Run.id)).all()
    if not ended or (max(run.ended_at for run in ended) > at - _SETTLED):
        return []
    under_way = (t.Run.actor == actor, t.Run.state.in_(ACTIVE), t.Run.kind.in_(_KINDS))
    is_under_way = database.scalar(sa.select(t.Run.id).where(*under_way).limit(1)) is not None
    if is_under_way and min(run.ended_at for run in ended) > at - _LONGEST:
        return []
    return [run.id for run in ended]


def count_try(database: sa.Connection, channel: str, run_ids: Sequence[int], at: dt.datetime) -> None:
    """Count a try, and let nobody else try before it would be repeated."""
    for tries, wait in enumerate((*WAITS, dt.timedelta()), start=1):
        mine = (*_of(channel, run_ids), t.Notice.tries == tries - 1, t.Notice.try_at <= at)
        values = {"tries": tries, "try_at": at + (wait or _LONGEST)}
        database.execute(sa.update(t.Notice).where(*mine).values(values))


def put_outcome(database: sa.Connection, channel: str, run_ids: Sequence[int], at: dt.datetime, problem: str) -> None:
    """Note how the try ended, on the runs too: that is where people look."""
    told_at = None if problem else at
    database.execute(sa.update(t.Notice).where(*_of(channel, run_ids)).values(told_at=told_at, problem=problem))
    for run_id in run_ids:
        mine = sa.select(t.Notice.problem).where(t.Notice.run_id == run_id, t.Notice.problem != "")
        problems = database.scalars(mine.order_by(t.Notice.channel))
        database.execute(sa.update(t.Run).where(t.Run.id == run_id).values(message=" ".join(problems)))


def list_matches_after(database: sa.Connection, run_id: int, actor: str) -> list[RunView]:
    """List the matches of this actor that followed a run and have ended."""
    follows = (t.Run.kind == RunKind.MATCH, t.Run.actor == actor, t.Run.id > run_id)
    ended = sa.select(t.Run.id).where(*follows, t.Run.state.not_in(ACTIVE)).order_by(t.Run.id)
    return [get_run(database, match_id) for match_id in database.scalars(ended).all()]


def get_last_problem(database: sa.Connection, channel: str) -> str:
    """Say what went wrong with the latest run that was to be told over a channel; empty where nothing did."""
    query = sa.select(t.Notice.problem).where(t.Notice.channel == channel, t.Notice.tries > 0)
    return database.scalar(query.order_by(t.Notice.run_id.desc()).limit(1)) or ""


def _of(channel: str, run_ids: Sequence[int]) -> tuple[sa.ColumnElement[bool], ...]:
    return t.Notice.channel == channel, t.Notice.run_id.in_(run_ids)


_BROKEN = (RunState.FAILED, RunState.INTERRUPTED)
_IS_LATE = t.Run.id > sa.select(sa.func.max(t.Run.id) - 1_000).scalar_subquery()
"""So far back failures are looked for: there may be a write-back for every decision there ever was."""
_KINDS = (RunKind.SYNC, RunKind.CRM_SYNC, RunKind.MATCH)
