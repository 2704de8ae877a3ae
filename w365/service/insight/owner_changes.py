"""Who gave which row to whom, over all rows: the changes of owners for Activity."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from w365.model import Actor, Role
from w365.service import Service
from w365.service.access import require
from w365.store import tables as t
from w365.store.reading.search_index import fold, ids_found_by, terms


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
    service: Service, actor: Actor, wanted: OwnerChangeFilter, *, start: int = 0, limit: int = 100
) -> list[OwnerChangeView]:
    """List changes, the latest first."""
    require(actor, Role.VIEWER)
    change, row, provider = t.OwnerChange, t.ProviderAccount, t.Provider
    columns = (change.id, change.at, change.actor, row.id, row.name, provider.name, change.old_owner, change.owner)
    query = sa.select(*columns, change.run_id).join(row, row.id == change.provider_account_id)
    query = query.join(provider, provider.id == row.provider_id).order_by(change.id.desc())
    with service.store.read() as connection:
        found = connection.execute(query.where(_where(connection, wanted)).offset(start).limit(limit))
        return [OwnerChangeView(*one) for one in found]


def count_owner_changes(service: Service, actor: Actor, wanted: OwnerChangeFilter) -> int:
    require(actor, Role.VIEWER)
    query = sa.select(sa.func.count()).select_from(t.OwnerChange)
    with service.store.read() as connection:
        return connection.scalar(query.where(_where(connection, wanted))) or 0


def list_givers(service: Service, actor: Actor) -> list[str]:
    """Everybody who has changed an owner, for the filter."""
    require(actor, Role.VIEWER)
    query = sa.select(t.OwnerChange.actor).distinct().order_by(t.OwnerChange.actor)
    with service.store.read() as connection:
        return list(connection.scalars(query))


def _where(connection: sa.Connection, wanted: OwnerChangeFilter) -> sa.ColumnElement[bool]:
    change = t.OwnerChange
    conditions: list[sa.ColumnElement[bool]] = [sa.true()]
    if wanted.actor:
        conditions.append(change.actor == wanted.actor)
    for term in terms(wanted.text):
        ours = change.provider_account_id.in_(ids_found_by(t.PROVIDER_ACCOUNT, term))
        owners = _owners_with(connection, term)
        conditions.append(sa.or_(ours, change.old_owner.in_(owners), change.owner.in_(owners)))
    return sa.and_(*conditions)


def _owners_with(connection: sa.Connection, term: str) -> list[str]:
    """Find owners as words are found, whatever their accents; a team is few people."""
    names = sa.union(sa.select(t.OwnerChange.old_owner), sa.select(t.OwnerChange.owner))
    return [name for name in connection.scalars(names) if term in fold(name)]
