"""The rows of `process`: who works on the database, in which version, and whether they live."""

from __future__ import annotations

import datetime as dt
from dataclasses import astuple, dataclass

import sqlalchemy as sa

from w365.model import ProcessKind
from w365.store.tables import Process

_FORGOTTEN_AFTER = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """``schema`` is the newest that its version knows; ``keys`` are digests of its secret keys, the newest first."""

    name: str
    kind: ProcessKind
    version: str
    schema: str
    keys: tuple[str, ...]
    seen_at: dt.datetime


def note_process(connection: sa.Connection, process: ProcessRow) -> None:
    """Note that a process lives; those that have not been seen for a day are forgotten."""
    is_old = Process.seen_at < process.seen_at - _FORGOTTEN_AFTER
    connection.execute(sa.delete(Process).where(sa.or_(Process.name == process.name, is_old)))
    values = dict(zip(ProcessRow.__slots__, astuple(process), strict=True)) | {"keys": " ".join(process.keys)}
    connection.execute(sa.insert(Process).values(values))


def list_processes(connection: sa.Connection, since: dt.datetime) -> list[ProcessRow]:
    """List those that were seen since, by kind and name."""
    columns = (getattr(Process, name) for name in ProcessRow.__slots__)
    rows = connection.execute(sa.select(*columns).where(Process.seen_at >= since).order_by(Process.kind, Process.name))
    return [
        ProcessRow(name, ProcessKind(kind), version, schema, tuple(keys.split()), seen_at)
        for name, kind, version, schema, keys, seen_at in rows
    ]


def find_last_sign_of_life(connection: sa.Connection) -> dt.datetime | None:
    """When any worker was last seen; None where there never was one."""
    latest = sa.func.max(Process.seen_at, type_=Process.seen_at.type)
    return connection.execute(sa.select(latest).where(Process.kind == ProcessKind.WORKER)).scalar()
