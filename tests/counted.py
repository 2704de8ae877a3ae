"""A recount of the grid's rows beside the counts that the database keeps."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from w365.store import tables as t


def check_kept_counts(connection: sa.Connection) -> None:
    """The kept counts are what a recount gives, or nothing at all."""
    rows = connection.execute(sa.select(t.WorklistCount.__table__))
    kept = {tuple(row[:5]): tuple(row[5:]) for row in rows}
    counted = _recount(connection)
    assert {key: amounts for key, amounts in kept.items() if key in counted} == counted
    assert all(amounts == (0, 0, 0, 0) for key, amounts in kept.items() if key not in counted)


def _recount(connection: sa.Connection) -> dict[tuple[Any, ...], tuple[int, ...]]:
    work = t.Worklist
    key = (work.provider_id, work.status, work.reason, work.owner, work.is_gone)
    buying = sa.func.count(sa.case((work.subscriptions > 0, 1)))
    amounts = (sa.func.count(), sa.func.sum(work.seats), sa.func.sum(work.subscriptions), buying)
    return {tuple(row[:5]): tuple(row[5:]) for row in connection.execute(sa.select(*key, *amounts).group_by(*key))}
