"""The order in which open rows are worth a person's time: what blocks most comes first."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from w365.model import Status
from w365.store import tables as t
from w365.store.reading.worklist import MOST_ROWS, Filter, Unsought, where_of


@dataclass(frozen=True, slots=True)
class RowState:
    """What of a row tells whether it waits still, and whether anything was decided about it."""

    version: int
    status: Status
    owner: str


def read_state(connection: sa.Connection, provider_account_id: int) -> RowState | None:
    """Read the state of a row; None when there is no such row."""
    row = connection.execute(_STATE, {"row": provider_account_id}).one_or_none()
    return row and RowState(row.version, Status(row.status), row.owner)


_STATE = sa.select(t.Worklist.version, t.Worklist.status, t.Worklist.owner).where(
    t.Worklist.provider_account_id == sa.bindparam("row", type_=t.Id)
)


def list_by_impact(connection: sa.Connection, rows: Filter, *, limit: int = MOST_ROWS) -> list[int]:
    """List ids: seats at stake, then subscriptions; among equals conflicts first, then the likeliest candidate."""
    work, best = t.Worklist, t.CurrentCandidate
    is_conflict = sa.case((work.status == Status.CONFLICT, 1), else_=0)
    query = (
        sa.select(work.provider_account_id)
        .outerjoin(best, (best.provider_account_id == work.provider_account_id) & (best.rank == 1))
        .where(*where_of(rows, Unsought))
        .order_by(
            work.seats.desc(),
            work.subscriptions.desc(),
            is_conflict.desc(),
            sa.func.coalesce(best.score, 0.0).desc(),
            work.provider_account_id,
        )
    )
    return list(connection.scalars(query.limit(min(limit, MOST_ROWS))))
