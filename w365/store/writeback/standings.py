"""How the mappings of provider accounts stand in the CRM's table."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from w365.store import tables as t
from w365.store.writeback.due_mappings import WriteState, is_concerned, join_sides, state_of, written_sides

_TROUBLES = (WriteState.FAILED, WriteState.DIFFERS)


@dataclass(frozen=True, slots=True)
class WriteStanding:
    """How the mapping of one provider account stands in the CRM. `there` names the account that the CRM says.

    `error` of one that waits is what keeps all of them from being written.
    """

    provider_account_id: int
    name: str
    provider: str
    account: str
    state: WriteState
    error: str
    attempts: int
    next_at: dt.datetime | None
    written_at: dt.datetime | None
    there: str


def find_standing(connection: sa.Connection, place: str, provider_account_id: int) -> WriteStanding | None:
    """Read how one mapping stands; None where nothing is to be written or was."""
    is_row = t.ProviderAccount.id == provider_account_id
    row = connection.execute(_standings(join_sides(place)).where(is_concerned(), is_row)).one_or_none()
    return _standing(row) if row else None


def list_troubles(connection: sa.Connection, place: str, limit: int) -> list[WriteStanding]:
    """List the rows that failed or that the CRM says otherwise about, by name."""
    pa = t.ProviderAccount
    query = _standings(written_sides(place)).where(_is_trouble()).order_by(pa.name_key, pa.id)
    return [_standing(row) for row in connection.execute(query.limit(limit))]


def count_troubles(connection: sa.Connection, place: str) -> int:
    """Count what `list_troubles` lists."""
    query = sa.select(sa.func.count()).select_from(written_sides(place)).where(_is_trouble())
    return connection.scalar(query) or 0


def _is_trouble() -> sa.ColumnElement[bool]:
    """Whether a person must look: what is stored says it, which has an index, and it is about the mapping of now."""
    return sa.and_(t.Writeback.state.in_(_TROUBLES), state_of().in_(_TROUBLES))


def _standings(rows: sa.Join) -> sa.Select[*tuple[Any, ...]]:
    pa, account, back = t.ProviderAccount, t.Account, t.Writeback
    named = sa.orm.aliased(t.Account)
    name_there = sa.select(named.name).where(named.crm_id == back.there, back.there != "").scalar_subquery()
    return (
        sa.select(
            pa.id,
            pa.name,
            t.Provider.name,
            sa.func.coalesce(account.name, ""),
            state_of(),
            sa.func.coalesce(back.error, ""),
            sa.func.coalesce(back.attempts, 0),
            back.next_at,
            back.written_at,
            sa.func.coalesce(name_there, back.there, ""),
        )
        .select_from(rows)
        .join(t.Provider, t.Provider.id == pa.provider_id)
        .outerjoin(account, account.id == t.Mapping.account_id)
    )


def _standing(row: sa.Row[*tuple[Any, ...]]) -> WriteStanding:
    row_id, name, provider, account, state, *rest = row
    return WriteStanding(row_id, name, provider, account, WriteState(state), *rest)
