"""The same customer at another provider: told by the Microsoft tenant or by a domain of its own."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from w365.model import Actor, DomainKind, Role, Status
from w365.service import Service
from w365.service.access import require
from w365.store import tables as t

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


def list_twins(service: Service, actor: Actor, provider_account_id: int) -> tuple[Twin, ...]:
    """List the first rows of other providers that are the same customer, those by tenant before those by domain."""
    require(actor, Role.VIEWER)
    with service.store.read() as connection:
        rows = [row for query in (_by_tenant, _by_domain) for row in connection.execute(query(provider_account_id))]
    found: dict[int, Twin] = {}
    for row_id, provider, specific_id, name, status, account, by in rows:
        found.setdefault(row_id, Twin(row_id, provider, specific_id, name, Status(status), account, by))
    return tuple(found.values())[:_MOST]


_Twins = sa.Select[int, str, str, str, str, str, str]


def _by_tenant(row_id: int) -> _Twins:
    mine, theirs = sa.orm.aliased(t.ProviderAccount), t.ProviderAccount
    query = _rows(sa.literal("")).join(mine, theirs.tenant_guid == mine.tenant_guid)
    # The last condition says nothing new, but lets SQLite use the partial index.
    return query.where(mine.id == row_id, mine.provider_id != theirs.provider_id, theirs.tenant_guid != "")


def _by_domain(row_id: int) -> _Twins:
    mine, theirs = sa.orm.aliased(t.ProviderAccount), t.ProviderAccount
    ours, shared = sa.orm.aliased(t.ProviderAccountDomain), t.ProviderAccountDomain
    return (
        _rows(shared.domain)
        .join(shared, shared.provider_account_id == theirs.id)
        .join(ours, ours.domain == shared.domain)
        .join(mine, mine.id == ours.provider_account_id)
        .where(
            mine.id == row_id,
            mine.provider_id != theirs.provider_id,
            *(one.kind == DomainKind.OWN_NAME for one in (ours, shared)),
            ours.is_verified,
            shared.is_verified,
            ~sa.exists().where(t.ListedDomain.domain == ours.domain),
            # Two different tenants are two customers, whatever domain they share.
            sa.or_(mine.tenant_guid == "", theirs.tenant_guid == "", mine.tenant_guid == theirs.tenant_guid),
        )
    )


def _rows(by: sa.SQLColumnExpression[str]) -> _Twins:
    theirs, work = t.ProviderAccount, t.Worklist
    columns = (theirs.id, t.Provider.name, theirs.specific_id, theirs.name, work.status)
    return (
        sa.select(*columns, sa.func.coalesce(t.Account.name, ""), by)
        .select_from(theirs)
        .join(t.Provider, t.Provider.id == theirs.provider_id)
        .join(work, work.provider_account_id == theirs.id)
        .outerjoin(t.Account, t.Account.id == work.account_id)
        .where(theirs.gone_at.is_(None))
        .order_by(t.Provider.id, theirs.id)
        .limit(_MOST)
    )
