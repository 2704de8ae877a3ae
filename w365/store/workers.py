"""The rows of `worker`: which processes do runs, and whether they live."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from w365.store.tables import Worker

_FORGOTTEN_AFTER = dt.timedelta(days=1)


def note_worker(connection: sa.Connection, name: str, at: dt.datetime) -> None:
    """Note that a worker lives; those that have not been seen for a day are forgotten."""
    connection.execute(sa.delete(Worker).where(sa.or_(Worker.name == name, Worker.seen_at < at - _FORGOTTEN_AFTER)))
    connection.execute(sa.insert(Worker).values(name=name, seen_at=at))


def find_last_sign_of_life(connection: sa.Connection) -> dt.datetime | None:
    """When any worker was last seen; None where there never was one."""
    return connection.execute(sa.select(sa.func.max(Worker.seen_at, type_=Worker.seen_at.type))).scalar()
