"""Customers as programs get them: provider accounts, candidates, mappings, subscriptions. A released name stays."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Annotated

from w365.api.rows import why
from w365.model import Disposition, Drift, Origin, Reason, Status
from w365.service.reading.records import AccountView, Record
from w365.store.reading.subscriptions import SubscriptionRow, SubscriptionState
from w365.store.reading.worklist import Row

CrmId = Annotated[str, "The account's id in the CRM."]
Version = Annotated[int, "The id of the latest decision, 0 before the first. Send it back as `If-Match` to decide."]
Following = Annotated[int | None, "Where the next page begins, as `cursor`; null: this is the last."]


@dataclass(frozen=True, slots=True)
class MappedAccount:
    """The CRM account that a provider account is mapped to."""

    crm_id: CrmId
    name: str
    number: str
    is_gone: Annotated[bool, "Whether it is inactive or deleted in the CRM. The mapping stays."]


@dataclass(frozen=True, slots=True)
class ProviderAccount:
    """A customer at a provider, as a line of the Provider accounts page."""

    id: Annotated[int, "Stays as long as the customer is known."]
    provider: str
    provider_id: int
    specific_id: Annotated[str, "The customer's id at the provider."]
    name: str
    domain: str
    status: Status
    reason: Annotated[Reason, "What the evidence says, whatever the status is."]
    why: Annotated[str, "Why it has this status, in words that may change."]
    account: MappedAccount | None
    origin: Annotated[Origin | None, "How the mapping came to be."]
    drift: Annotated[Drift, "How the mapping differs from the evidence; empty: not."]
    disposition: Annotated[Disposition, "What a person ordered apart from a mapping."]
    set_aside_because: str
    parked_until: dt.date | None
    seats: Annotated[int, "Of live subscriptions."]
    subscriptions: Annotated[int, "Live ones."]
    owner: Annotated[str, "Who takes care of it; empty: nobody."]
    is_gone: Annotated[bool, "Whether the provider lists the customer no more."]
    is_synced: Annotated[bool, "Whether syncs keep it up to date."]
    version: Version


@dataclass(frozen=True, slots=True)
class ProviderAccounts:
    """A page, by id: what stays meanwhile is met once."""

    items: tuple[ProviderAccount, ...]
    next: Following


def provider_account(row: Row) -> ProviderAccount:
    account = MappedAccount(row.account_crm_id, row.account_name, row.account_number, row.account_gone)
    return ProviderAccount(
        id=row.id,
        provider=row.provider,
        provider_id=row.provider_id,
        specific_id=row.specific_id,
        name=row.name,
        domain=row.domain,
        status=row.status,
        reason=row.reason,
        why=why(row),
        account=None if row.account_id is None else account,
        origin=_origin(row),
        drift=row.drift,
        disposition=row.disposition,
        set_aside_because=row.aside,
        parked_until=row.until,
        seats=row.seats,
        subscriptions=row.subscriptions,
        owner=row.owner,
        is_gone=row.is_gone,
        is_synced=row.is_synced,
        version=row.version,
    )


def _origin(row: Row) -> Origin | None:
    return Origin(row.origin) if row.origin else None


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain of a customer."""

    name: str
    is_default: bool
    is_verified: bool
    listed: Annotated[str, "The list that takes it out of the evidence; empty: none."]
    accounts: Annotated[int, "How many CRM accounts have it."]


@dataclass(frozen=True, slots=True)
class ProviderAccountRecord:
    """Everything about one provider account."""

    provider_account: ProviderAccount
    country: str
    tenant_guid: str
    relationship: str
    first_seen_at: dt.datetime
    gone_at: dt.datetime | None
    domains: tuple[Domain, ...]
    rejected: Annotated[tuple[str, ...], "CRM ids of accounts that a person said are not this customer's."]


def record(view: Record) -> ProviderAccountRecord:
    return ProviderAccountRecord(
        provider_account(view.row),
        view.country,
        view.tenant_guid,
        view.relationship,
        view.first_seen_at,
        view.gone_at,
        tuple(
            Domain(each.name, each.is_default, each.is_verified, each.listed, each.accounts) for each in view.domains
        ),
        tuple(each.hit.crm_id for each in view.rejected),
    )


@dataclass(frozen=True, slots=True)
class Candidate:
    """A CRM account that may be the customer's."""

    crm_id: CrmId
    name: str
    number: str
    score: Annotated[float | None, "From 0 to 1; null where only a rule names the account."]
    reasons: Annotated[tuple[str, ...], "What the score is made of, in words."]
    evidence: Annotated[tuple[str, ...], "What the rules find that speaks for it, in words."]
    is_active: bool
    used_by: Annotated[str, "Who is mapped to it already, where the policy allows one; else empty."]


@dataclass(frozen=True, slots=True)
class Candidates:
    """The likeliest first, without the account that is mapped and those that were rejected."""

    items: tuple[Candidate, ...]
    version: Version


def candidate(view: AccountView) -> Candidate:
    hit = view.hit
    return Candidate(
        hit.crm_id, hit.name, hit.number, hit.score, hit.reasons, view.evidence, hit.is_active, hit.used_by
    )


@dataclass(frozen=True, slots=True)
class Mapping:
    """Which CRM account a provider account is mapped to. It is the same while its version, the ETag, is."""

    provider_account: Annotated[int, "Its id."]
    provider_id: int
    specific_id: Annotated[str, "The customer's id at the provider."]
    account: Annotated[str | None, "The account's id in the CRM; null: it is not mapped."]
    origin: Annotated[Origin | None, "How the mapping came to be."]
    version: Version


@dataclass(frozen=True, slots=True)
class Mappings:
    """A page, by id of the provider account: what stays meanwhile is met once."""

    items: tuple[Mapping, ...]
    next: Following


def mapping(row: Row) -> Mapping:
    account = None if row.account_id is None else row.account_crm_id
    return Mapping(row.id, row.provider_id, row.specific_id, account, _origin(row), row.version)


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription, and whether its customer is mapped."""

    provider_account: Annotated[int, "The customer's id."]
    subscription_id: Annotated[str, "Its id at the provider."]
    state: SubscriptionState
    provider: str
    customer: str
    account: Annotated[str | None, "The CRM id of the account that the customer is mapped to."]
    offer_name: str
    quantity: int
    status: Annotated[str, "In the provider's word."]
    term: str
    started_at: dt.datetime | None
    since: Annotated[dt.datetime | None, "When it came to stand as it does; null where nobody knows."]


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """A page: what is blocked first, then by the seats of the customer. Who moves meanwhile can be met twice or not."""

    items: tuple[Subscription, ...]
    next: Annotated[str | None, "Where the next page begins, as `cursor`; null: this is the last."]


def subscription(row: SubscriptionRow) -> Subscription:
    return Subscription(
        row.provider_account_id,
        row.subscription_id,
        row.state,
        row.provider,
        row.customer,
        row.account_crm_id or None,
        row.offer_name,
        row.quantity,
        row.status,
        row.term,
        row.started_at,
        row.since,
    )
