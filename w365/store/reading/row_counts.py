"""How many rows the grid would show: from the counts that the database keeps, else from the rows themselves."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from w365.model import ListPart, Reason, Status
from w365.store import tables as t
from w365.store.reading.worklist import Filter, where_of


@dataclass(frozen=True, slots=True)
class StatusCount:
    """How much shares a provider, status and reason; `buying` are the accounts with a live subscription."""

    provider_id: int
    status: Status
    reason: Reason
    accounts: int
    seats: int
    subscriptions: int
    buying: int


def count_rows(connection: sa.Connection, rows: Filter) -> int:
    """Count the rows of a filter."""
    if is_kept(rows):
        query = sa.select(sa.func.coalesce(sa.func.sum(t.WorklistCount.accounts), 0)).where(*kept_where(rows))
    else:
        query = sa.select(sa.func.count()).select_from(t.Worklist).where(*where_of(rows))
    return int(connection.execute(query).scalar_one())


def is_kept(rows: Filter) -> bool:
    """Whether the database keeps counts by all that the filter asks for."""
    part = None if rows.part is ListPart.GONE else rows.part
    kept = replace(rows, statuses=(), providers=(), reasons=(), owner=None, part=part)
    return kept == Filter()


def kept_where(rows: Filter) -> list[sa.ColumnElement[bool]]:
    """The conditions of such a filter on the counts."""
    kept = t.WorklistCount
    chosen = ((kept.status, rows.statuses), (kept.provider_id, rows.providers), (kept.reason, rows.reasons))
    conditions: list[sa.ColumnElement[bool]] = [column.in_(values) for column, values in chosen if values]
    if rows.owner is not None:
        conditions.append(kept.owner == rows.owner)
    is_counted = sa.or_(~kept.is_gone, kept.status == Status.MAPPED)
    return [*conditions, kept.is_gone == sa.true() if rows.part is ListPart.GONE else is_counted]


def count_statuses(connection: sa.Connection) -> list[StatusCount]:
    """Count all provider accounts by provider, status and reason; gone ones without a mapping are left out."""
    return [
        StatusCount(provider_id, Status(status), Reason(reason), *map(int, amounts))
        for provider_id, status, reason, *amounts in connection.execute(_counting())
    ]


@functools.cache
def _counting() -> sa.Select[*tuple[Any, ...]]:
    kept = t.WorklistCount
    key, accounts = (kept.provider_id, kept.status, kept.reason), sa.func.sum(kept.accounts)
    amounts = (sa.func.sum(amount) for amount in (kept.seats, kept.subscriptions, kept.buying))
    return sa.select(*key, accounts, *amounts).where(*kept_where(Filter())).group_by(*key).having(accounts > 0)
