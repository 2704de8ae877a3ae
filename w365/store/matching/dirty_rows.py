"""Which provider accounts changed facts concern: they are touched, and settled by the next match."""

from __future__ import annotations

import functools

import sqlalchemy as sa

from w365.store import tables as t
from w365.store.db.bound_ids import IDS, NAMES
from w365.store.db.bulk_insert import count_for_planner, upsert_into
from w365.store.matching.evidence import KEPT_STATEMENTS, NO_VALUES, Values, Which

Touching = sa.Select[int] | sa.CompoundSelect[int]

_MANY = 1_000
"""So many touched rows cost more than counting all there are."""


def touch_rows(connection: sa.Connection, ids: Touching, values: Values = NO_VALUES) -> None:
    """Remember that the facts of these provider accounts changed."""
    connection.execute(_touching(connection.dialect.name, ids), values or None)


@functools.lru_cache(maxsize=KEPT_STATEMENTS)
def _touching(dialect: str, ids: Touching) -> sa.Insert:
    # Without a WHERE, SQLite would read ON CONFLICT as a join's condition (sqlite.org/lang_upsert.html).
    rows = sa.select(ids.subquery().c[0]).where(sa.true()).distinct()
    insert = upsert_into(dialect, t.Touched.__table__).from_select(["provider_account_id"], rows)
    return insert.on_conflict_do_nothing()


@functools.cache
def touched_rows() -> sa.Select[int]:
    return sa.select(t.Touched.provider_account_id)


def is_any_touched(connection: sa.Connection) -> bool:
    return connection.scalar(_ANY_TOUCHED) is not None


def forget_touched(connection: sa.Connection) -> None:
    """Forget what was touched, now that it is settled."""
    connection.execute(_FORGET_TOUCHED)


def touched_or_all(connection: sa.Connection) -> Which:
    """What is touched; all, where that is most of it, as after a first sync or a changed rule.

    One walk along all rows takes half of what as many rows looked up one by one do, measured at 1,000,000.
    """
    count_for_planner(connection, t.Touched)
    count = connection.execute(_COUNT_TOUCHED).scalar_one()
    if count < _MANY:
        return touched_rows()
    customers = connection.execute(_COUNT_ALL).scalar_one()
    return None if count * 2 > customers else touched_rows()


_ANY_TOUCHED = sa.select(t.Touched.provider_account_id).limit(1)
_FORGET_TOUCHED = sa.delete(t.Touched)
_COUNT_TOUCHED = sa.select(sa.func.count()).select_from(t.Touched)
_COUNT_ALL = sa.select(sa.func.count()).select_from(t.ProviderAccount)


@functools.cache
def all_rows() -> sa.Select[int]:
    return sa.select(t.ProviderAccount.id)


@functools.cache
def rows_of_provider() -> sa.Select[int]:
    """Select the provider accounts of the provider that is given with the statement."""
    return sa.select(t.ProviderAccount.id).where(t.ProviderAccount.provider_id == sa.bindparam("provider"))


@functools.cache
def with_domains() -> sa.Select[int]:
    """Select the provider accounts that have one of the domains whose `names` are given with the statement."""
    domain = t.ProviderAccountDomain
    return sa.select(domain.provider_account_id).where(domain.domain.in_(NAMES))


@functools.cache
def reached_by_accounts() -> sa.CompoundSelect[int]:
    """Select the provider accounts that CRM accounts' domains, GUIDs, names, mappings or proposals reach.

    The accounts are those whose `ids` are given with the statement.
    """
    by_domain = (
        sa.select(t.ProviderAccountDomain.provider_account_id)
        .join(t.AccountDomain, t.AccountDomain.domain == t.ProviderAccountDomain.domain)
        .where(t.AccountDomain.account_id.in_(IDS))
    )
    by_unread = (
        sa.select(t.ProviderAccountDomain.provider_account_id)
        .join(t.UnreadDomain, t.UnreadDomain.domain == t.ProviderAccountDomain.domain)
        .where(t.UnreadDomain.account_id.in_(IDS))
    )
    by_guid = (
        sa.select(t.ProviderAccount.id)
        .join(t.Account, t.Account.tenant_guid == t.ProviderAccount.tenant_guid)
        .where(t.Account.id.in_(IDS), t.ProviderAccount.tenant_guid != "")
    )
    by_name = (
        sa.select(t.Worklist.provider_account_id)
        .join(t.Account, t.Account.name_key == t.Worklist.name_key)
        .where(t.Account.id.in_(IDS), t.Account.name_key != "")
    )
    return sa.union(by_domain, by_unread, by_guid, mapped_to_accounts(), by_name, pointing_to_accounts())


@functools.cache
def mapped_to_accounts() -> sa.Select[int]:
    """Select the provider accounts that are mapped to these accounts."""
    return sa.select(t.Mapping.provider_account_id).where(t.Mapping.account_id.in_(IDS))


@functools.cache
def pointing_to_accounts() -> sa.Select[int]:
    """Select the provider accounts whose proposal is one of these accounts: under a unique policy they compete."""
    return sa.select(t.CurrentProposal.provider_account_id).where(t.CurrentProposal.account_id.in_(IDS))
