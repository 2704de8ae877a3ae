"""The rows of `audit_log`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from w365.caller import caller
from w365.model import AuditKind
from w365.store import tables as t


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Who did what, when and from where; ``about`` is a sentence or a name, never a secret."""

    id: int
    at: dt.datetime
    actor: str
    kind: AuditKind
    about: str
    address: str


def note_event(connection: sa.Connection, actor: str, at: dt.datetime, kind: AuditKind, about: str) -> None:
    connection.execute(_NOTE, {"at": at, "actor": actor, "kind": kind.value, "about": about, "address": caller()})


def note_event_once(
    connection: sa.Connection, actor: str, at: dt.datetime, kind: AuditKind, about: str, *, within: dt.timedelta
) -> None:
    """Note an event, unless it is the same as the latest of its actor and that one is younger than `within`."""
    latest = list_events(connection, None, actor, limit=1)
    if not any((event.kind, event.about) == (kind, about) and at - event.at < within for event in latest):
        note_event(connection, actor, at, kind, about)


def list_events(connection: sa.Connection, kind: AuditKind | None, actor: str, *, limit: int) -> list[AuditRow]:
    """Read the latest of a kind and of somebody, or of all, the latest first."""
    chosen = _EVENTS.order_by(t.AuditEntry.id.desc()).limit(limit)
    if kind:
        chosen = chosen.where(t.AuditEntry.kind == kind.value)
    if actor:
        chosen = chosen.where(t.AuditEntry.actor == actor)
    return list(_rows(connection.execute(chosen)))


def list_event_actors(connection: sa.Connection) -> list[str]:
    return list(connection.scalars(_ACTORS))


def stream_events(connection: sa.Connection) -> Iterator[AuditRow]:
    """Read all, the oldest first, without holding them in memory."""
    return _rows(connection.execution_options(yield_per=1000).execute(_ALL))


def _rows(result: sa.CursorResult[Any]) -> Iterator[AuditRow]:
    return (AuditRow(**row._asdict() | {"kind": AuditKind(row.kind)}) for row in result)


_NOTE = sa.insert(t.AuditEntry)
_COLUMNS = [getattr(t.AuditEntry, name) for name in AuditRow.__dataclass_fields__]
_EVENTS = sa.select(*_COLUMNS)
_ALL = _EVENTS.order_by(t.AuditEntry.id)
_ACTORS = sa.select(t.AuditEntry.actor).distinct().order_by(t.AuditEntry.actor)
