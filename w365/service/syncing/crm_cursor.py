"""Where a full read of the CRM stands: in which table, and after which page, so that the next run goes on there."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class CrmCursor:
    """The connector's own cursor within a table."""

    table: str
    cursor: str

    def to_text(self) -> str:
        return json.dumps(asdict(self))


def cursor_within(text: str | None, table: str) -> str | None:
    """Return the cursor within ``table`` that a run's cursor holds, or None where it holds none."""
    try:
        place = CrmCursor(**json.loads(text or "null"))
    except (ValueError, TypeError):
        return None
    return place.cursor if place.table == table and isinstance(place.cursor, str) else None
