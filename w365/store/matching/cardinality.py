"""Cardinality (product rule 7): which provider accounts must not share a CRM account, and who holds one already.

The match, whatever is decided, the import of mappings, the Conflicts page and the look-up all ask here.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import sqlalchemy as sa

from w365.errors import PolicyBreach
from w365.model import Cardinality, MatchPolicy
from w365.store import tables as t
from w365.store.db.bound_ids import IDS

_HELD, _HOLDER, _THEIR_PROVIDER = (
    sa.orm.aliased(t.Mapping),
    sa.orm.aliased(t.ProviderAccount),
    sa.orm.aliased(t.Provider),
)

_EXCEPTION = (
    sa.select(t.Provider.id)
    .where(t.Provider.cardinality.is_not(None), t.Provider.cardinality != Cardinality.MANY)
    .limit(1)
)
"""A provider with a policy of its own that is a unique one."""


def any_unique(connection: sa.Connection, policy: MatchPolicy) -> bool:
    """Whether any policy in force, the default or a provider's own, is a unique one."""
    return policy.cardinality is not Cardinality.MANY or connection.scalar(_EXCEPTION) is not None


def own_policy(default: Cardinality, provider: type[t.Provider] = t.Provider) -> sa.ColumnElement[str]:
    """The policy for rows of a provider: its exception, else the default."""
    return sa.func.coalesce(provider.cardinality, default.value)


def must_not_share(
    default: Cardinality, other: type[t.ProviderAccount], provider: type[t.Provider] = t.Provider
) -> sa.ColumnElement[bool]:
    """Whether the policy of a provider forbids its provider accounts to share an account with another one."""
    return _keeps_apart(default, other.provider_id, provider)


def _keeps_apart(
    default: Cardinality, other_provider_id: sa.SQLColumnExpression[int], provider: type[t.Provider]
) -> sa.ColumnElement[bool]:
    own = own_policy(default, provider)
    in_provider = sa.and_(own == Cardinality.UNIQUE_IN_PROVIDER, other_provider_id == provider.id)
    return sa.or_(own == Cardinality.UNIQUE, in_provider)


def forbidding(
    default: Cardinality, account_id: sa.SQLColumnExpression[int | None], row_id: sa.SQLColumnExpression[int]
) -> sa.Select[int]:
    """Select who holds an account and so, by the policy of `provider`, forbids it to a row of it."""
    return (
        sa.select(_HOLDER.id)
        .join(_HELD, _HELD.provider_account_id == _HOLDER.id)
        .where(_HELD.account_id == account_id, _HOLDER.id != row_id, must_not_share(default, _HOLDER))
    )


def is_taken(
    default: Cardinality, account_id: sa.SQLColumnExpression[int | None], row_id: sa.SQLColumnExpression[int]
) -> sa.ColumnElement[bool]:
    """Whether anybody does; for a query on `provider`."""
    return sa.exists(forbidding(default, account_id, row_id).correlate_except(_HOLDER, _HELD))


def refuse_taken(
    connection: sa.Connection, policy: MatchPolicy, provider_id: int, account_id: int, *, besides: int = 0
) -> None:
    """Raise PolicyBreach naming the first holder where a unique policy leaves an account no room.

    That is room for a provider account of this provider; `besides` is one whose own link does not count.
    """
    asked = {"provider": provider_id, "account": account_id, "row": besides}
    first = connection.execute(_first_holder(policy.cardinality), asked).one_or_none()
    if first:
        raise PolicyBreach(
            f"This CRM account already belongs to {first.name} at {first.provider}; the policy allows one link only.",
            kept="Nothing was changed.",
            do="Choose another account, or clear the other mapping first.",
        )


@functools.cache
def _first_holder(default: Cardinality) -> sa.Select[str, str]:
    holders = forbidding(default, sa.bindparam("account", type_=t.Id), sa.bindparam("row", type_=t.Id))
    return (
        holders.with_only_columns(_HOLDER.name, _THEIR_PROVIDER.name.label("provider"))
        .join(_THEIR_PROVIDER, _THEIR_PROVIDER.id == _HOLDER.provider_id)
        .join(t.Provider, t.Provider.id == sa.bindparam("provider", type_=t.Id))
        .order_by(_HELD.decision_id)
        .limit(1)
    )


def read_holders(
    connection: sa.Connection, default: Cardinality, account_ids: Sequence[int], row: int | None
) -> dict[int, str]:
    """Say for each account that is taken who has it, the first one mapped; `row` is who asks, and never named.

    Taken is what the policy of the row's provider refuses, and what would break the policy of the holder's provider.
    Where no row asks, any account is taken whose holder has a unique policy or stands under a default one.
    """
    holders = _holders(default, is_asked_for_row=row is not None)
    rows = connection.execute(holders, {"ids": list(account_ids), "row": row})
    return {row.account_id: f"{row.name} at {row.provider}" for row in rows}


@functools.cache
def _holders(default: Cardinality, *, is_asked_for_row: bool) -> sa.Select[int, str, str]:
    query = (
        sa.select(_HELD.account_id, _HOLDER.name, _THEIR_PROVIDER.name.label("provider"))
        .join_from(_HELD, _HOLDER, _HOLDER.id == _HELD.provider_account_id)
        .join(_THEIR_PROVIDER, _THEIR_PROVIDER.id == _HOLDER.provider_id)
        .where(_HELD.account_id.in_(IDS))
        .order_by(_HELD.decision_id.desc())
    )
    if not is_asked_for_row:
        is_any = default is not Cardinality.MANY
        return query.where(sa.true() if is_any else own_policy(default, _THEIR_PROVIDER) != Cardinality.MANY)
    mine, row = t.ProviderAccount, sa.bindparam("row", type_=t.Id)
    broken = sa.or_(must_not_share(default, _HOLDER), must_not_share(default, mine, _THEIR_PROVIDER))
    query = query.join(mine, mine.id == row).join(t.Provider, t.Provider.id == mine.provider_id)
    return query.where(_HOLDER.id != row, broken)


def read_apart(connection: sa.Connection, policy: MatchPolicy) -> frozenset[tuple[int, int]]:
    """Read the pairs of providers of which a row of the first must not share an account with one of the second."""
    pairs = sa.select(t.Provider.id, _THEIR_PROVIDER.id).join(_THEIR_PROVIDER, sa.true())
    apart = connection.execute(pairs.where(_keeps_apart(policy.cardinality, _THEIR_PROVIDER.id, t.Provider)))
    return frozenset((row[0], row[1]) for row in apart)
