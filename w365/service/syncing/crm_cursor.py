"""Where a full read of the CRM stands: in which table, and after which page, so that the next run goes on there."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from w365.store import tables as t


@dataclass(frozen=True, slots=True)
class Place:
    table: str
    cursor: str

    def to_text(self) -> str:
        return json.dumps(asdict(self))


def place_in(text: str | None, table: str) -> str | None:
    """Return the cursor within ``table`` that a run's cursor holds, or None where it holds none."""
    try:
        place = Place(**json.loads(text or "null"))
    except (ValueError, TypeError):
        return None
    return place.cursor if place.table == table and isinstance(place.cursor, str) else None


def forget_seen(connection: sa.Connection, run_id: int, table: str) -> None:
    """Begin a full read anew: what an earlier one met may have gone since."""
    seen = t.RunSeen
    connection.execute(sa.delete(seen).where(seen.run_id == run_id, seen.subject == table))
