"""The rows of `connection`: how each provider and the CRM are reached, and which of them the environment sets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from w365.store import tables as t

_COLUMNS = ("target", "setting", "for_environment", "parts", "secret", "changed_at", "changed_by")
_ALL = sa.select(*(getattr(t.StoredConnection, name) for name in _COLUMNS)).order_by(t.StoredConnection.target)
_CHANGE = sa.update(t.StoredConnection).where(t.StoredConnection.target == sa.bindparam("of_target"))
_ADD = sa.insert(t.StoredConnection)


@dataclass(frozen=True, slots=True)
class ConnectionRow:
    """One row. ``target`` is `store.runs.CRM` or a provider's id as text; ``secret`` is sealed.

    ``parts`` are by the last words of the settings' names.
    """

    target: str
    setting: str
    for_environment: bool = False
    parts: Mapping[str, str] = field(default_factory=dict)
    secret: str = field(default="", repr=False)
    changed_at: dt.datetime | None = None
    changed_by: str = ""


def read_row(database: sa.Connection, target: str) -> ConnectionRow | None:
    return read_rows(database).get(target)


def read_rows(database: sa.Connection) -> dict[str, ConnectionRow]:
    return {row.target: ConnectionRow(*row) for row in database.execute(_ALL)}


def put_row(database: sa.Connection, row: ConnectionRow) -> None:
    values = {name: getattr(row, name) for name in _COLUMNS} | {"parts": dict(row.parts)}
    if not database.execute(_CHANGE, {"of_target": row.target, **values}).rowcount:
        database.execute(_ADD, values)


def remove_row(database: sa.Connection, target: str) -> None:
    for table in (t.StoredConnection, t.StoredConsent, t.ConsentBegun):
        database.execute(sa.delete(table).where(table.target == target))
