"""How the last file of each kind was read, for the next one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from w365.store import tables as t


def read_choice(connection: sa.Connection, target: str) -> dict[str, Any]:
    """Read what was chosen for files of this target; empty where nothing was imported yet."""
    choice = t.ReadingChoice
    return connection.scalar(sa.select(choice.choice).where(choice.target == target)) or {}


def put_choice(connection: sa.Connection, target: str, value: Mapping[str, Any]) -> None:
    choice = t.ReadingChoice
    written = connection.execute(sa.update(choice).where(choice.target == target).values(choice=dict(value)))
    if not written.rowcount:
        connection.execute(sa.insert(choice).values(target=target, choice=dict(value)))
