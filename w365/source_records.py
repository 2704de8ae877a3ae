"""What providers and the CRM say, as frozen values: what connectors yield and syncs store."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

DEFAULT_DOMAIN = "default domain only"
"""The ``domain_source`` of a customer of whom only the list is known, which says nothing about proof."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record of a source that could not be used, and why in one sentence. The rest of its page was kept."""

    record_id: str
    why: str


@dataclass(frozen=True, slots=True)
class CustomerDomain:
    """A domain as the provider spells it. ``is_free_text``: somebody typed it there, and nobody proved it."""

    name: str
    is_default: bool = False
    is_verified: bool = True
    is_free_text: bool = False


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription of a customer. ``status`` is the provider's own word; unknown words are kept."""

    subscription_id: str
    offer_name: str
    quantity: int
    status: str
    term: str = ""
    started_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Customer:
    """An end customer as a provider lists it.

    ``domains`` or ``subscriptions`` is None when the provider would not tell; what is stored stays then, and ``note``
    says why. ``domain_source`` names where the domains came from. ``tenant_guid`` is the Microsoft tenant, lower case.
    """

    specific_id: str
    name: str
    default_domain: str
    domains: tuple[CustomerDomain, ...] | None
    domain_source: str
    subscriptions: tuple[Subscription, ...] | None = None
    tenant_guid: str = ""
    country: str = ""
    relationship: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class CustomerPage:
    """One page of customers, written in one transaction.

    ``cursor`` resumes after this page (None: this was the last). ``total`` is the provider's own count, for the
    progress bar only. ``ignored_fields`` names members of the payload that nobody here knows. ``lack`` says how the
    list is known not to be whole, as the end of a sentence; there may be pages after it.
    """

    customers: tuple[Customer, ...]
    rejected: tuple[Rejected, ...] = ()
    cursor: str | None = None
    total: int | None = None
    ignored_fields: frozenset[str] = frozenset()
    lack: str = ""


@dataclass(frozen=True, slots=True)
class CrmAccount:
    """A CRM account. ``crm_id`` is the Dataverse GUID in lower case without braces."""

    crm_id: str
    name: str
    number: str = ""
    website: str = ""
    email: str = ""
    city: str = ""
    country: str = ""
    tenant_guid: str = ""
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class CrmContact:
    """All that is kept of a contact: id, account, the domain of its primary e-mail (normalised or empty), and state."""

    crm_id: str
    account_crm_id: str
    domain: str
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class NewAccount:
    """A CRM account to create."""

    name: str
    website: str = ""
    email: str = ""
    city: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class ChangePage(Generic[T]):
    """One page of CRM records: full or changed ones, ids of deleted ones; ``delta_link`` only on the last page.

    ``cursor`` is there on every other page of a full read, which goes on after it.
    """

    changed: tuple[T, ...]
    deleted: tuple[str, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    delta_link: str | None = None
    total: int | None = None
    cursor: str | None = None
