"""A row of a manual provider, read to be edited."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from w365.errors import NotFound
from w365.model import ProviderKind
from w365.store import tables as t


@dataclass(frozen=True, slots=True)
class ManualAccountRow:
    """What a person can edit; the default domain is the first. `seats` are those of all subscriptions."""

    provider_id: int
    specific_id: str
    name: str
    country: str
    tenant_guid: str
    domains: tuple[str, ...]
    subscriptions: int
    seats: int


def read_manual_account(connection: sa.Connection, provider_account_id: int) -> ManualAccountRow | None:
    """Read a row; None where a connector brings it. Raises NotFound where there is none."""
    pa, pad, sub = t.ProviderAccount, t.ProviderAccountDomain, t.ProviderSubscription
    query = sa.select(t.Provider.kind, pa.provider_id, pa.specific_id, pa.name, pa.country, pa.tenant_guid)
    query = query.join(t.Provider, t.Provider.id == pa.provider_id).where(pa.id == provider_account_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound("This provider account does not exist.", do="Go back to the list.")
    if row.kind != ProviderKind.MANUAL:
        return None
    of_row = pad.provider_account_id == provider_account_id
    domains = connection.scalars(sa.select(pad.domain).where(of_row).order_by(pad.is_default.desc(), pad.domain))
    amounts = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(sub.quantity), 0))
    count, seats = connection.execute(amounts.where(sub.provider_account_id == provider_account_id)).one()
    return ManualAccountRow(*row[1:], tuple(domains), count, int(seats))
