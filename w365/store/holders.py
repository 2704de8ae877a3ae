"""By whom a CRM account is taken, where a policy wants it for one provider account alone."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from w365.model import Cardinality
from w365.store import tables as t


def read_holders(
    connection: sa.Connection, default: Cardinality, account_ids: Sequence[int], row: int | None
) -> dict[int, str]:
    """Say for each account that is taken who has it, the first one mapped; `row` is who asks, and never named.

    Taken is what the policy of the row's provider refuses, and what would break the policy of the holder's provider.
    Where no row asks, any account is taken whose holder has a unique policy or stands under a default one.
    """
    pa, mapping, provider = t.ProviderAccount, t.Mapping, t.Provider
    query = (
        sa.select(mapping.account_id, pa.name, provider.name.label("provider"))
        .join_from(mapping, pa, pa.id == mapping.provider_account_id)
        .join(provider, provider.id == pa.provider_id)
        .where(mapping.account_id.in_(account_ids), _is_taken(connection, default, row))
        .order_by(mapping.decision_id.desc())
    )
    if row is not None:
        query = query.where(mapping.provider_account_id != row)
    return {one.account_id: f"{one.name} at {one.provider}" for one in connection.execute(query)}


def _is_taken(connection: sa.Connection, default: Cardinality, row: int | None) -> sa.ColumnElement[bool]:
    pa, provider = t.ProviderAccount, t.Provider
    theirs = sa.func.coalesce(provider.cardinality, default.value)
    if row is None:
        return sa.true() if default is not Cardinality.MANY else theirs != Cardinality.MANY
    query = sa.select(pa.provider_id, provider.cardinality).join(provider, provider.id == pa.provider_id)
    mine = connection.execute(query.where(pa.id == row)).one_or_none()
    if mine is None:
        return _is_taken(connection, default, None)
    rule = Cardinality(mine.cardinality or default)
    if rule is Cardinality.UNIQUE:
        return sa.true()
    in_provider = pa.provider_id == mine.provider_id
    refused = in_provider if rule is Cardinality.UNIQUE_IN_PROVIDER else sa.false()
    return sa.or_(refused, theirs == Cardinality.UNIQUE)
