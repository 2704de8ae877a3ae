"""The rows of `schedule`: which sync starts by itself, at what time of day, and when next."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from w365.store import tables as t
from w365.store.runs import CRM

USUAL_TIME = dt.time(6)


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """One row, or what holds without one: off."""

    target: str
    at: dt.time = USUAL_TIME
    is_on: bool = False
    due_at: dt.datetime | None = None
    run_id: int | None = None
    note: str = ""
    noted_at: dt.datetime | None = None


def read_schedules(connection: sa.Connection, *, due_by: dt.datetime | None = None) -> dict[str, ScheduleRow]:
    """All by target, or those that are due, the CRM's first: the match of what follows needs it."""
    rows = connection.execute(_ALL) if due_by is None else connection.execute(_DUE, {"due_by": due_by})
    return {row.target: ScheduleRow(row.target, dt.time.fromisoformat(row.time_of_day), *row[2:]) for row in rows}


_ALL = sa.select(
    t.Schedule.target,
    t.Schedule.time_of_day,
    t.Schedule.is_on,
    t.Schedule.due_at,
    t.Schedule.run_id,
    t.Schedule.note,
    t.Schedule.noted_at,
).order_by(t.Schedule.target != CRM, t.Schedule.target)
_DUE = _ALL.where(t.Schedule.is_on, t.Schedule.due_at <= sa.bindparam("due_by"))


def put_schedule(connection: sa.Connection, target: str, **values: Any) -> None:
    """Write these columns; a row that is not there yet is off until told otherwise."""
    mine = sa.update(t.Schedule).where(t.Schedule.target == target)
    if not connection.execute(mine.values(**values)).rowcount:
        new = {"time_of_day": f"{USUAL_TIME:%H:%M}", "is_on": False, "note": ""}
        connection.execute(sa.insert(t.Schedule).values(target=target, **new | values))


def take_due(connection: sa.Connection, row: ScheduleRow, next_at: dt.datetime) -> bool:
    """Move a due row on; False where somebody else did."""
    mine = (t.Schedule.target == row.target, t.Schedule.is_on, t.Schedule.due_at == row.due_at)
    return bool(connection.execute(sa.update(t.Schedule).where(*mine).values(due_at=next_at)).rowcount)


def forget_schedule(connection: sa.Connection, target: str) -> None:
    connection.execute(sa.delete(t.Schedule).where(t.Schedule.target == target))
