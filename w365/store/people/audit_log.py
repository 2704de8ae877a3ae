"""The rows of `audit_log`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from w365.model import AuditKind
from w365.store import tables as t


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Who did what and when; ``about`` is a sentence or a name, never a secret."""

    id: int
    at: dt.datetime
    actor: str
    kind: AuditKind
    about: str


def note_event(connection: sa.Connection, actor: str, at: dt.datetime, kind: AuditKind, about: str) -> None:
    connection.execute(_NOTE, {"at": at, "actor": actor, "kind": kind.value, "about": about})


def list_events(connection: sa.Connection, *, limit: int) -> list[AuditRow]:
    """Read the latest, the latest first."""
    return list(_rows(connection.execute(_LATEST, {"most": limit})))


def stream_events(connection: sa.Connection) -> Iterator[AuditRow]:
    """Read all, the oldest first, without holding them in memory."""
    return _rows(connection.execution_options(yield_per=1000).execute(_ALL))


def _rows(result: sa.CursorResult[Any]) -> Iterator[AuditRow]:
    return (AuditRow(**row._asdict() | {"kind": AuditKind(row.kind)}) for row in result)


_NOTE = sa.insert(t.AuditEntry)
_COLUMNS = [getattr(t.AuditEntry, name) for name in AuditRow.__dataclass_fields__]
_ALL = sa.select(*_COLUMNS).order_by(t.AuditEntry.id)
_LATEST = sa.select(*_COLUMNS).order_by(t.AuditEntry.id.desc()).limit(sa.bindparam("most", type_=sa.Integer))
