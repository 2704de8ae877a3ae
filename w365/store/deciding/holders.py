"""By whom a CRM account is taken, where a policy wants it for one provider account alone."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import sqlalchemy as sa

from w365.model import Cardinality
from w365.store import tables as t
from w365.store.db.bound_ids import IDS


def read_holders(
    connection: sa.Connection, default: Cardinality, account_ids: Sequence[int], row: int | None
) -> dict[int, str]:
    """Say for each account that is taken who has it, the first one mapped; `row` is who asks, and never named.

    Taken is what the policy of the row's provider refuses, and what would break the policy of the holder's provider.
    Where no row asks, an account is taken whose holder's provider has a unique policy; where the default is one, any
    that is mapped.
    """
    mine = None if row is None else connection.execute(_POLICY_OF, {"row": row}).one_or_none()
    asked = {"ids": list(account_ids)}
    if mine is None:
        found = connection.execute(_holders(default, None), asked)
    else:
        holders = _holders(default, Cardinality(mine.cardinality or default))
        found = connection.execute(holders, {**asked, "row": row, "provider": mine.provider_id})
    return {one.account_id: f"{one.name} at {one.provider}" for one in found}


_POLICY_OF = (
    sa.select(t.ProviderAccount.provider_id, t.Provider.cardinality)
    .join(t.Provider, t.Provider.id == t.ProviderAccount.provider_id)
    .where(t.ProviderAccount.id == sa.bindparam("row"))
)


@functools.cache
def _holders(default: Cardinality, mine: Cardinality | None) -> sa.Select[int, str, str]:
    """Select who has these `ids` where they are taken for a `row` of a `provider` with a policy; None: no row asks."""
    pa, mapping, provider = t.ProviderAccount, t.Mapping, t.Provider
    query = (
        sa.select(mapping.account_id, pa.name, provider.name.label("provider"))
        .join_from(mapping, pa, pa.id == mapping.provider_account_id)
        .join(provider, provider.id == pa.provider_id)
        .where(mapping.account_id.in_(IDS), _is_taken(default, mine))
        .order_by(mapping.decision_id.desc())
    )
    return query if mine is None else query.where(mapping.provider_account_id != sa.bindparam("row"))


def _is_taken(default: Cardinality, mine: Cardinality | None) -> sa.ColumnElement[bool]:
    theirs = sa.func.coalesce(t.Provider.cardinality, default.value)
    if mine is None:
        return sa.true() if default is not Cardinality.MANY else theirs != Cardinality.MANY
    if mine is Cardinality.UNIQUE:
        return sa.true()
    in_provider = t.ProviderAccount.provider_id == sa.bindparam("provider")
    refused = in_provider if mine is Cardinality.UNIQUE_IN_PROVIDER else sa.false()
    return sa.or_(refused, theirs == Cardinality.UNIQUE)
