"""What the record shows of one provider account beside its row: facts, domains, subscriptions, and of its accounts."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from w365.store import tables as t
from w365.store.db.bound_ids import IDS
from w365.store.tables import LIVE_STATUSES


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """What the provider says of a customer, and why a person set the row aside."""

    default_domain: str
    domain_source: str
    tenant_guid: str
    country: str
    relationship: str
    note: str
    first_seen_at: dt.datetime
    gone_at: dt.datetime | None
    disposition_reason: str


@dataclass(frozen=True, slots=True)
class DomainView:
    """A domain of the customer: on which list it is, or empty, and how many CRM accounts have it.

    `unread_at` names an account with a field that may mean it and has no one reading; empty where there is none.
    """

    name: str
    kind: str
    is_default: bool
    is_verified: bool
    listed: str
    accounts: int
    unread_at: str = ""


@dataclass(frozen=True, slots=True)
class SubscriptionView:
    offer_name: str
    quantity: int
    status: str
    term: str
    is_live: bool
    started_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class AccountFields:
    """What a record shows of a CRM account beside its name: `contacts` are counted, `domains` in their order."""

    website: str
    contacts: int
    domains: tuple[str, ...]


def read_customer_facts(connection: sa.Connection, provider_account_id: int) -> RecordFacts:
    """Read the facts of a provider account that exists."""
    return RecordFacts(*connection.execute(_FACTS, {"row": provider_account_id}).one())


def list_domains(connection: sa.Connection, provider_account_id: int) -> tuple[DomainView, ...]:
    """List a customer's domains, its default one first."""
    return tuple(DomainView(*row) for row in connection.execute(_domains(), {"row": provider_account_id}))


def list_subscriptions_of(connection: sa.Connection, provider_account_id: int) -> tuple[SubscriptionView, ...]:
    """List a customer's subscriptions, those with the most seats first."""
    return tuple(
        SubscriptionView(offer_name, quantity, status, term, status in LIVE_STATUSES, started_at)
        for offer_name, quantity, status, term, started_at in connection.execute(
            _SUBSCRIPTIONS, {"row": provider_account_id}
        )
    )


def read_account_fields(connection: sa.Connection, account_ids: Sequence[int]) -> dict[int, AccountFields]:
    """Read the fields of accounts that exist, by id."""
    values = {"ids": account_ids}
    domains: dict[int, set[str]] = {}
    for account_id, domain in connection.execute(_DOMAINS_OF_ACCOUNTS, values):
        domains.setdefault(account_id, set()).add(domain)
    return {
        account_id: AccountFields(website, contacts, tuple(sorted(domains.get(account_id, ()))))
        for account_id, website, contacts in connection.execute(_FIELDS_OF_ACCOUNTS, values)
    }


_ROW = sa.bindparam("row", type_=t.Id)
_FACTS = (
    sa.select(
        t.ProviderAccount.default_domain,
        t.ProviderAccount.domain_source,
        t.ProviderAccount.tenant_guid,
        t.ProviderAccount.country,
        t.ProviderAccount.relationship,
        t.ProviderAccount.note,
        t.ProviderAccount.first_seen_at,
        t.ProviderAccount.gone_at,
        sa.func.coalesce(t.StandingOrder.reason, ""),
    )
    .outerjoin(t.StandingOrder, t.StandingOrder.provider_account_id == t.ProviderAccount.id)
    .where(t.ProviderAccount.id == _ROW)
)
_SUBSCRIPTIONS = (
    sa.select(
        t.ProviderSubscription.offer_name,
        t.ProviderSubscription.quantity,
        t.ProviderSubscription.status,
        t.ProviderSubscription.term,
        t.ProviderSubscription.started_at,
    )
    .where(t.ProviderSubscription.provider_account_id == _ROW)
    .order_by(t.ProviderSubscription.quantity.desc(), t.ProviderSubscription.offer_name)
)
_DOMAINS_OF_ACCOUNTS = sa.select(t.AccountDomain.account_id, t.AccountDomain.domain).where(
    t.AccountDomain.account_id.in_(IDS)
)
_FIELDS_OF_ACCOUNTS = (
    sa.select(t.Account.id, t.Account.website, sa.func.count(t.Contact.crm_id))
    .outerjoin(t.Contact, t.Contact.account_crm_id == t.Account.crm_id)
    .where(t.Account.id.in_(IDS))
    .group_by(t.Account.id, t.Account.website)
)


@functools.cache
def _domains() -> sa.Select[*tuple[Any, ...]]:
    pad, listed, ad = t.ProviderAccountDomain, t.ListedDomain, t.AccountDomain
    accounts = (
        sa.select(sa.func.count(sa.distinct(ad.account_id)))
        .join(t.Account, t.Account.id == ad.account_id)
        .where(ad.domain == pad.domain, ~t.Account.is_deleted)
        .correlate(pad)
        .scalar_subquery()
    )
    unread_at = (
        sa.select(sa.func.min(t.Account.name))
        .join(t.UnreadDomain, t.UnreadDomain.account_id == t.Account.id)
        .where(t.UnreadDomain.domain == pad.domain, ~t.Account.is_deleted)
        .correlate(pad)
        .scalar_subquery()
    )
    worth = (pad.is_default, pad.is_verified, sa.func.coalesce(listed.list, ""))
    return (
        sa.select(pad.domain, pad.kind, *worth, accounts, sa.func.coalesce(unread_at, ""))
        .outerjoin(listed, listed.domain == pad.domain)
        .where(pad.provider_account_id == _ROW)
        .order_by(pad.is_default.desc(), pad.domain)
    )
