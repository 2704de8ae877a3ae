"""The counts that a run leaves for the history."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from w365.store import tables as t
from w365.store.reading.row_counts import StatusCount


def leave_snapshot(connection: sa.Connection, run_id: int, counts: Iterable[StatusCount]) -> None:
    """Keep how many accounts and seats have which provider, status and reason at the end of a run.

    A run that another process goes on with leaves its counts anew.
    """
    connection.execute(sa.delete(t.Snapshot).where(t.Snapshot.run_id == run_id))
    values = [
        {
            "run_id": run_id,
            "provider_id": count.provider_id,
            "status": count.status,
            "reason": count.reason,
            "accounts": count.accounts,
            "seats": count.seats,
        }
        for count in counts
    ]
    if values:
        connection.execute(sa.insert(t.Snapshot), values)
