"""What the CRM's table of mappings said when it was last read, and how it differs from what is mapped here."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from w365.store import tables as t
from w365.store.db.bulk_insert import upsert
from w365.store.syncing.providers import read_provider_names


class Difference(enum.StrEnum):
    """How both sides differ about a customer."""

    OTHER = "other"
    MISSING_THERE = "missing_there"
    MISSING_HERE = "missing_here"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Remote:
    """A row as the CRM has it. `account` is the account's GUID, or empty."""

    remote_id: str
    specific_id: str
    provider: str
    account: str


@dataclass(frozen=True, slots=True)
class Differing:
    """A customer about whom both sides differ; without a provider account here where it is unknown."""

    kind: Difference
    provider_account_id: int | None
    specific_id: str
    name: str
    provider: str
    here: str
    there: str


def forget_remote(connection: sa.Connection) -> None:
    connection.execute(sa.delete(t.RemoteMapping))


def note_remote(connection: sa.Connection, rows: Iterable[Remote]) -> None:
    """Keep rows as the CRM has them."""
    columns = ("remote_id", "specific_id", "provider", "provider_id", "account")
    known = {name.casefold(): provider_id for provider_id, name in read_provider_names(connection).items()}
    values = [
        (row.remote_id, row.specific_id[:253], row.provider, known.get(row.provider.strip().casefold()), row.account)
        for row in rows
    ]
    upsert(connection, t.RemoteMapping, columns, values)


def list_remote(connection: sa.Connection) -> list[Remote]:
    remote = t.RemoteMapping
    columns = (remote.remote_id, remote.specific_id, remote.provider, remote.account)
    return [Remote(*row) for row in connection.execute(sa.select(*columns).order_by(remote.remote_id))]


def note_written_since(connection: sa.Connection, place: str, at: dt.datetime) -> None:
    """Keep what was written while all rows were being read: the reading may have missed it."""
    pa, back = t.ProviderAccount, t.Writeback
    query = (
        sa.select(back.remote_id, pa.specific_id, t.Provider.name, back.there)
        .join(pa, pa.id == back.provider_account_id)
        .join(t.Provider, t.Provider.id == pa.provider_id)
        .where(back.place == place, back.written_at >= at, back.remote_id != "")
    )
    note_remote(connection, [Remote(*row) for row in connection.execute(query)])


def count_differences(connection: sa.Connection, *, by_provider: bool) -> dict[Difference, int]:
    differing = _differences(by_provider=by_provider).subquery()
    query = sa.select(differing.c.kind, sa.func.count()).group_by(differing.c.kind)
    counted = {Difference(row[0]): int(row[1]) for row in connection.execute(query)}
    return {kind: counted.get(kind, 0) for kind in Difference}


def read_differences(
    connection: sa.Connection, *, by_provider: bool, kinds: Sequence[Difference], limit: int
) -> list[Differing]:
    """Read differences in the order of kind, name and id."""
    differing = _differences(by_provider=by_provider).subquery()
    *columns, there = differing.c
    named = sa.select(t.Account.name).where(t.Account.crm_id == there, t.Account.name != "").scalar_subquery()
    query = (
        sa.select(*columns, sa.func.coalesce(named, there))
        .where(differing.c.kind.in_(kinds))
        .order_by(differing.c.kind, differing.c.name, differing.c.specific_id)
        .limit(limit)
    )
    return [Differing(Difference(kind), *row) for kind, *row in connection.execute(query)]


def read_accounts_there(connection: sa.Connection, ids: Sequence[int], *, by_provider: bool) -> dict[int, str]:
    """What the CRM said of these provider accounts when it was last read; those it said nothing of are left out."""
    pa, remote = t.ProviderAccount, t.RemoteMapping
    query = sa.select(pa.id, remote.account).join(remote, _is_same(by_provider=by_provider))
    return {row[0]: row[1] for row in connection.execute(query.where(pa.id.in_(ids))) if row[1]}


def _is_same(*, by_provider: bool) -> sa.ColumnElement[bool]:
    pa, remote = t.ProviderAccount, t.RemoteMapping
    same: sa.ColumnElement[bool] = remote.specific_id == pa.specific_id
    return sa.and_(same, remote.provider_id == pa.provider_id) if by_provider else same


def _differences(*, by_provider: bool) -> sa.CompoundSelect[Any]:
    """Both outer joins: what is mapped here against the rows there, and the rows there that are nobody's."""
    pa, mapping, account, remote = t.ProviderAccount, t.Mapping, t.Account, t.RemoteMapping
    same = _is_same(by_provider=by_provider)
    here, there = sa.func.coalesce(account.crm_id, ""), sa.func.coalesce(remote.account, "")
    kind = sa.case(
        (there == "", sa.literal(Difference.MISSING_THERE.value)),
        (here == "", sa.literal(Difference.MISSING_HERE.value)),
        else_=sa.literal(Difference.OTHER.value),
    )
    ours = (
        sa.select(
            kind.label("kind"),
            pa.id.label("provider_account_id"),
            pa.specific_id.label("specific_id"),
            pa.name.label("name"),
            t.Provider.name.label("provider"),
            sa.func.coalesce(account.name, "").label("here"),
            there.label("there"),
        )
        .select_from(pa)
        .join(t.Provider, t.Provider.id == pa.provider_id)
        .outerjoin(mapping, mapping.provider_account_id == pa.id)
        .outerjoin(account, account.id == mapping.account_id)
        .outerjoin(remote, same)
        .where(here != there)
    )
    theirs = sa.select(
        sa.literal(Difference.UNKNOWN.value),
        sa.cast(sa.null(), t.Id),
        remote.specific_id,
        sa.literal(""),
        remote.provider,
        sa.literal(""),
        remote.account,
    ).where(~sa.exists(sa.select(pa.id).where(same).correlate(remote)))
    return sa.union_all(ours, theirs)
