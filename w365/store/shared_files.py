"""The rows of `shared_file`: what one process keeps for the others. A name begins with its kind and a slash."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from w365.store.db.bulk_insert import upsert_into
from w365.store.tables import SharedFile


def keep_file(
    connection: sa.Connection, name: str, at: dt.datetime, content: bytes = b"", about: Mapping[str, Any] | None = None
) -> bool:
    """Keep a file; False where one of this name is kept already, which stays as it is."""
    insert = upsert_into(connection.dialect.name, SharedFile.__table__).on_conflict_do_nothing()
    values = {"name": name, "about": dict(about or {}), "content": content, "kept_at": at}
    return connection.execute(insert.values(values).returning(SharedFile.name)).first() is not None


def read_file(connection: sa.Connection, name: str) -> tuple[dict[str, Any], bytes] | None:
    """Give what a file is about, and its content; None where it is not kept (any more)."""
    row = connection.execute(sa.select(SharedFile.about, SharedFile.content).where(SharedFile.name == name)).first()
    return None if row is None else (row.about, row.content)


def forget_file(connection: sa.Connection, name: str) -> None:
    connection.execute(sa.delete(SharedFile).where(SharedFile.name == name))


def list_older(connection: sa.Connection, before: dt.datetime) -> list[str]:
    """List the names of what was kept before."""
    return list(connection.scalars(sa.select(SharedFile.name).where(SharedFile.kept_at < before)))
