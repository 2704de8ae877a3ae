"""What is known here of the CRM account that a customer is created for, and of the customer once it is there."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from w365.errors import NotFound
from w365.source_records import Customer
from w365.store import tables as t
from w365.store.configuring.settings import read_policy
from w365.store.matching.cardinality import refuse_taken
from w365.store.syncing.providers import read_provider_names

_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class AccountToOnboard:
    """A CRM account; `domain` is its website's or e-mail address's, `mapped` names its first provider accounts."""

    account_id: int
    crm_id: str
    name: str
    website: str
    city: str
    country: str
    tenant_guid: str
    domain: str
    mapped: tuple[str, ...]


def read_account_to_onboard(connection: sa.Connection, crm_id: str) -> AccountToOnboard:
    """Read an account that the CRM has not deleted; NotFound when there is none."""
    account = t.Account
    columns = (account.crm_id, account.name, account.website, account.city, account.country, account.tenant_guid)
    domain = sa.func.coalesce(sa.func.nullif(account.website_domain, ""), account.email_domain)
    query = sa.select(account.id.label("account_id"), *columns, domain.label("domain"))
    query = query.where(account.crm_id == crm_id[:64], ~account.is_deleted)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFound("There is no such CRM account.", do="Look for it by its name.")
    return AccountToOnboard(**row, mapped=_name_mapped(connection, row["account_id"]))


def _name_mapped(connection: sa.Connection, account_id: int) -> tuple[str, ...]:
    pa, mapping, provider = t.ProviderAccount, t.Mapping, t.Provider
    query = (
        sa.select(pa.name, provider.name.label("provider"))
        .join(mapping, mapping.provider_account_id == pa.id)
        .join(provider, provider.id == pa.provider_id)
        .where(mapping.account_id == account_id)
        .order_by(pa.name_key)
        .limit(_MOST_NAMED)
    )
    return tuple(f"{row.name} at {row.provider}" for row in connection.execute(query))


def check_can_be_mapped(connection: sa.Connection, provider_id: int, account_id: int) -> None:
    """Look before a customer is created whether it could be mapped afterwards; raise NotFound, or PolicyBreach."""
    account = t.Account
    if not connection.scalar(sa.select(~account.is_deleted).where(account.id == account_id)):
        raise NotFound("This CRM account does not exist (any more).", kept="Nothing was created.")
    if provider_id not in read_provider_names(connection):
        raise NotFound("There is no such provider.", kept="Nothing was created.", do="Reload the page.")
    refuse_taken(connection, read_policy(connection), provider_id, account_id)


def find_customer(connection: sa.Connection, provider_id: int, domain: str) -> Customer | None:
    """Find a customer with this domain among those that the provider listed, gone ones left out."""
    pa, pad = t.ProviderAccount, t.ProviderAccountDomain
    query = (
        sa.select(pa.specific_id, pa.name, pa.default_domain, pa.tenant_guid, pa.country, pa.relationship)
        .join(pad, pad.provider_account_id == pa.id)
        .where(pa.provider_id == provider_id, pad.domain == domain, pa.gone_at.is_(None))
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    return Customer(**row, domains=None, domain_source="") if row else None


def find_provider_account(connection: sa.Connection, provider_id: int, specific_id: str) -> int | None:
    """Find the id here of what a provider knows by this id."""
    pa = t.ProviderAccount
    return connection.scalar(sa.select(pa.id).where(pa.provider_id == provider_id, pa.specific_id == specific_id))
