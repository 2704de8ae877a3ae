"""The same customer at another provider, with the account that it is mapped to there."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import sqlalchemy as sa

from w365.model import Status
from w365.store import tables as t
from w365.store.matching.relations import MINE, SHARED_DOMAIN, THEIRS, same_customers

_MOST = 10


@dataclass(frozen=True, slots=True)
class Twin:
    """A row of another provider. `by` is the domain that both have, or empty where both have the tenant."""

    provider_account_id: int
    provider: str
    specific_id: str
    name: str
    status: Status
    account: str
    by: str


def list_twins(connection: sa.Connection, provider_account_id: int) -> tuple[Twin, ...]:
    """List the first rows of other providers that are the same customer, those by tenant before those by domain."""
    twins: dict[int, Twin] = {}
    for query in _twins():
        for row_id, provider, specific_id, name, status, account, by in connection.execute(
            query, {"row": provider_account_id}
        ):
            twins.setdefault(row_id, Twin(row_id, provider, specific_id, name, Status(status), account, by))
    return tuple(twins.values())[:_MOST]


_Rows = sa.Select[int, str, str, str, str, str, str]


@functools.cache
def _twins() -> tuple[_Rows, _Rows]:
    by_tenant, by_domain = same_customers()
    return _with_names(by_tenant, sa.literal("")), _with_names(by_domain, SHARED_DOMAIN.domain)


def _with_names(pairs: sa.Select[int, int], by: sa.SQLColumnExpression[str]) -> _Rows:
    work, provider = t.Worklist, t.Provider
    columns = (THEIRS.id, provider.name, THEIRS.specific_id, THEIRS.name, work.status)
    return (
        pairs.with_only_columns(*columns, sa.func.coalesce(t.Account.name, ""), by)
        .join(provider, provider.id == THEIRS.provider_id)
        .join(work, work.provider_account_id == THEIRS.id)
        .outerjoin(t.Account, t.Account.id == work.account_id)
        .where(MINE.id == sa.bindparam("row", type_=t.Id))
        .order_by(provider.id, THEIRS.id)
        .limit(_MOST)
    )
