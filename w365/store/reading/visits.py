"""When people were here."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from w365.store import tables as t


@dataclass(frozen=True, slots=True)
class VisitTimes:
    """When a person was here last, and when the visit before this one ended; None on the first visit."""

    last_at: dt.datetime
    before_at: dt.datetime | None


def read_visit_times(connection: sa.Connection, name: str) -> VisitTimes | None:
    row = connection.execute(_OF_ACTOR, {"of_actor": name}).one_or_none()
    return row and VisitTimes(*row)


def put_visit_times(connection: sa.Connection, name: str, times: VisitTimes) -> None:
    values = {"last_at": times.last_at, "before_at": times.before_at}
    written = connection.execute(sa.update(t.Visit).where(t.Visit.actor == name).values(values))
    if not written.rowcount:
        connection.execute(sa.insert(t.Visit).values(actor=name, **values))


_OF_ACTOR = sa.select(t.Visit.last_at, t.Visit.before_at).where(t.Visit.actor == sa.bindparam("of_actor"))
