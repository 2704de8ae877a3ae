"""Who gave which row to whom: the changes of owners that the Activity page lists, filtered."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from w365.store import tables as t
from w365.store.reading.search_index import fold_text, ids_found_by, search_terms


@dataclass(frozen=True, slots=True)
class OwnerChangeFilter:
    """Which changes to list; empty parts do not filter. `text` is looked for in rows and in both owners."""

    actor: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class OwnerChangeView:
    """A change of a row's owner; an empty name is nobody."""

    id: int
    at: dt.datetime
    actor: str
    provider_account_id: int
    provider_account: str
    provider: str
    old_owner: str
    owner: str
    run_id: int | None = None


def list_owner_changes(
    connection: sa.Connection, chosen: OwnerChangeFilter, *, start: int, limit: int
) -> list[OwnerChangeView]:
    """List changes, the latest first."""
    change, row, provider = t.OwnerChange, t.ProviderAccount, t.Provider
    columns = (change.id, change.at, change.actor, row.id, row.name, provider.name, change.old_owner, change.owner)
    query = (
        sa.select(*columns, change.run_id)
        .join(row, row.id == change.provider_account_id)
        .join(provider, provider.id == row.provider_id)
        .where(*_conditions(connection, chosen))
        .order_by(change.id.desc())
    )
    return [OwnerChangeView(*line) for line in connection.execute(query.offset(start).limit(limit))]


def count_owner_changes(connection: sa.Connection, chosen: OwnerChangeFilter) -> int:
    query = sa.select(sa.func.count()).select_from(t.OwnerChange).where(*_conditions(connection, chosen))
    return connection.scalar(query) or 0


def list_givers(connection: sa.Connection) -> list[str]:
    return list(connection.scalars(sa.select(t.OwnerChange.actor).distinct().order_by(t.OwnerChange.actor)))


def _conditions(connection: sa.Connection, chosen: OwnerChangeFilter) -> list[sa.ColumnElement[bool]]:
    conditions = [t.OwnerChange.actor == chosen.actor] if chosen.actor else []
    return [*conditions, *(_is_found_by(connection, term) for term in search_terms(chosen.text))]


def _is_found_by(connection: sa.Connection, term: str) -> sa.ColumnElement[bool]:
    change, owners = t.OwnerChange, _list_owners_with(connection, term)
    by_row = change.provider_account_id.in_(ids_found_by(t.PROVIDER_ACCOUNT, term))
    return sa.or_(by_row, change.old_owner.in_(owners), change.owner.in_(owners))


def _list_owners_with(connection: sa.Connection, term: str) -> list[str]:
    """Find owners as words are found, whatever their accents; a team is few people."""
    names = sa.union(sa.select(t.OwnerChange.old_owner), sa.select(t.OwnerChange.owner))
    return [name for name in connection.scalars(names) if term in fold_text(name)]
