"""Rows of a manual provider by form: one is added, or one that is there is edited."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from w365.errors import InputError, NotFound
from w365.model import Actor, CustomerPage, ProviderKind, Role
from w365.service import Service
from w365.service.access import require
from w365.service.syncing.customers import store_customers
from w365.service.syncing.manual_rows import (
    COUNTRY,
    DOMAINS,
    FIELDS,
    NAME,
    SEATS,
    SPECIFIC_ID,
    SUBSCRIPTIONS,
    TENANT,
    read_row,
)
from w365.store import tables as t

_LABELS = {one.name: one.label for one in FIELDS}


def save_entry(service: Service, actor: Actor, provider_id: int, texts: Mapping[str, str], *, is_new: bool) -> int:
    """Store a row from its texts by field name and return its id.

    Raises InputError for what cannot be used, and for a new row whose id is there already; nothing is changed then.
    """
    require(actor, Role.ANALYST)
    customer, problems = read_row(texts)
    if customer is None:
        said = "; ".join(f"{_LABELS[one.field]} {one.why}" for one in problems)
        raise InputError(f"{said}.", kept="Nothing was changed.", do="Correct it.")
    with service.store.write() as connection:
        kind = connection.scalar(sa.select(t.Provider.kind).where(t.Provider.id == provider_id))
        if kind != ProviderKind.MANUAL:
            raise InputError("Rows can be entered at manual providers only.", kept="Nothing was changed.")
        pa = t.ProviderAccount
        query = sa.select(pa.id, pa.name).where(pa.provider_id == provider_id, pa.specific_id == customer.specific_id)
        there = connection.execute(query).one_or_none()
        if there and is_new:
            raise InputError(
                f"{customer.specific_id} is there already: {there.name}.",
                kept="Nothing was changed.",
                do="Open that provider account to edit it, or enter another id.",
            )
        store_customers(connection, provider_id, CustomerPage((customer,)), service.clock())
        return int(connection.execute(query).one().id)


def read_entry(service: Service, actor: Actor, provider_account_id: int) -> tuple[int, dict[str, str]] | None:
    """Give the provider's id and the texts of a row to edit; None for a row that a connector brings."""
    require(actor, Role.VIEWER)
    pa, pad, sub = t.ProviderAccount, t.ProviderAccountDomain, t.ProviderSubscription
    with service.store.read() as connection:
        query = sa.select(pa.provider_id, pa.specific_id, pa.name, pa.country, pa.tenant_guid, t.Provider.kind)
        query = query.join(t.Provider, t.Provider.id == pa.provider_id).where(pa.id == provider_account_id)
        row = connection.execute(query).one_or_none()
        if row is None:
            raise NotFound("This provider account does not exist.", do="Go back to the list.")
        if row.kind != ProviderKind.MANUAL:
            return None
        mine = pad.provider_account_id == provider_account_id
        domains = connection.scalars(sa.select(pad.domain).where(mine).order_by(pad.is_default.desc(), pad.domain))
        amounts = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(sub.quantity), 0))
        count, seats = connection.execute(amounts.where(sub.provider_account_id == provider_account_id)).one()
        texts = {
            SPECIFIC_ID: row.specific_id,
            NAME: row.name,
            DOMAINS: ", ".join(domains),
            COUNTRY: row.country,
            TENANT: row.tenant_guid,
            SUBSCRIPTIONS: str(count) if count else "",
            SEATS: str(seats) if count else "",
        }
        return row.provider_id, texts
