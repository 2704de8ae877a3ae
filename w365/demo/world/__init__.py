"""What the servers know: customers of the partner at two providers, and accounts and contacts of the CRM.

A world never changes; what clients create, change or delete lives in the journal beside it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

FIRST_DAY = datetime(2024, 1, 8, 8, 0, tzinfo=UTC)
"""When rows without a date of their own were created."""


@dataclass(frozen=True, slots=True)
class Domain:
    """A DNS domain of a customer, written as the provider writes it."""

    name: str
    is_verified: bool = True
    is_initial: bool = False
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a customer bought. ``status`` is Partner Center's word, unknown ones included."""

    id: str
    offer_name: str
    quantity: int
    status: str = "active"
    term: str = "P1Y"
    is_trial: bool = False
    offer_id: str = ""
    created: datetime = FIRST_DAY


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer tenant. ``departed``: still listed, but every call about it is refused."""

    id: str
    name: str
    domain: str
    domains: tuple[Domain, ...] = ()
    country: str = ""
    relationship: str = "reseller"
    departed: bool = False
    subscriptions: tuple[Subscription, ...] = ()


@dataclass(frozen=True, slots=True)
class Reseller:
    """An indirect reseller of the partner, with the ids of the customers that buy through it."""

    id: str
    name: str
    mpn_id: str
    location: str
    customers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Company:
    """A customer at Pax8. ``website`` is free text; ``status`` and those of the subscriptions are Pax8's words."""

    id: str
    name: str
    website: str = ""
    country: str = "US"
    city: str = ""
    external_id: str = ""
    status: str = "Active"
    subscriptions: tuple[Subscription, ...] = ()
    updated: datetime = FIRST_DAY


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the CRM. Empty text is null in Dataverse."""

    id: str
    name: str
    number: str = ""
    website: str = ""
    email: str = ""
    phone: str = ""
    city: str = ""
    country: str = ""
    parent_id: str = ""
    tenant_id: str = ""
    is_active: bool = True
    created: datetime = FIRST_DAY


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact of the CRM. Its parent is an account or another contact (``parent_kind``), or nothing."""

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    parent_id: str = ""
    parent_kind: str = "account"
    is_active: bool = True
    created: datetime = FIRST_DAY


@dataclass(frozen=True, slots=True)
class World:
    """Everything served. ``fingerprint`` tells one world's change links from another's: Pax8 has none."""

    name: str
    customers: tuple[Customer, ...]
    accounts: tuple[Account, ...]
    contacts: tuple[Contact, ...]
    fingerprint: str = ""
    companies: tuple[Company, ...] = ()
    resellers: tuple[Reseller, ...] = ()

    def __post_init__(self) -> None:
        if not self.fingerprint:
            object.__setattr__(self, "fingerprint", self._content_hash())

    def _content_hash(self) -> str:
        digest = hashlib.sha256(self.name.encode())
        for rows in (self.customers, self.accounts, self.contacts):
            digest.update(repr(rows).encode())
        return digest.hexdigest()[:12]
