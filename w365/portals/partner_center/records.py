"""Partner Center's records of a customer turned into our own words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from w365.http.fields import (
    FieldError,
    clean_text,
    guid_or_empty,
    loose_moment,
    name_record,
    nullable_text,
    optional_text,
    required_amount,
    required_id,
    required_record,
    required_text,
)
from w365.matching.domains import normalise_domain
from w365.source_records import Customer, CustomerDomain, Rejected, Subscription

ALL_DOMAINS = "all custom domains"
_LONGEST_DOMAIN = 255

_KNOWN = frozenset(
    {
        "id",
        "companyProfile",
        "relationshipToPartner",
        "links",
        "attributes",
        "commerceId",
        "billingProfile",
        "allowDelegatedAccess",
        "customDomains",
        "userCredentials",
        "associatedPartnerId",
    }
)
_KNOWN_PROFILE = frozenset(
    {
        "tenantId",
        "domain",
        "companyName",
        "links",
        "attributes",
        "address",
        "email",
        "organizationRegistrationNumber",
    }
)


def read_customer(record: Any) -> Customer:
    """Read one item of the list; domains and subscriptions are not part of it. Raises FieldError."""
    if not isinstance(record, dict):
        raise FieldError("the record is not an object.")
    identifier = required_id(record, "id")
    profile = required_record(record, "companyProfile")
    return Customer(
        specific_id=identifier,
        name=required_text(profile, "companyName"),
        default_domain=nullable_text(profile, "domain"),
        domains=None,
        domain_source="",
        tenant_guid=guid_or_empty(optional_text(profile, "tenantId")) or guid_or_empty(identifier),
        relationship=optional_text(record, "relationshipToPartner"),
    )


def unknown_fields(record: Any) -> frozenset[str]:
    """Name the members of a customer that nobody here knows."""
    if not isinstance(record, dict):
        return frozenset()
    unknown = record.keys() - _KNOWN
    profile = record.get("companyProfile")
    if isinstance(profile, dict) and not profile.keys() <= _KNOWN_PROFILE:
        unknown |= {f"companyProfile.{name}" for name in profile.keys() - _KNOWN_PROFILE}
    return frozenset(clean_text(name)[:100] for name in unknown)


def read_domains(body: Any, default_domain: str) -> tuple[CustomerDomain, ...]:
    """Read the customDomains answer: texts or objects, in a list or wrapped.

    Unverified names are left out, but for the customer's default one: it is told as unverified, as the list of
    customers repeats it. A name that any entry calls unverified is, whatever another one says.

    No sample of this answer is published, hence the several forms. Raises FieldError for any other.
    """
    if isinstance(body, dict):
        body = next((body[name] for name in ("customDomains", "items") if name in body), None)
    if not isinstance(body, list):
        raise FieldError("the list of domains is missing.")
    entries = [
        (normalise_domain(name).name, name, is_verified) for name, is_verified in map(_read_domain, body) if name
    ]
    unproved = {domain for domain, _, is_verified in entries if not is_verified}
    default = normalise_domain(default_domain).name
    told = {name: domain for domain, name, _ in entries if domain not in unproved or domain == default}
    return tuple(CustomerDomain(name, domain == default, domain not in unproved) for name, domain in told.items())


def _read_domain(entry: Any) -> tuple[str, bool]:
    is_verified = True
    if isinstance(entry, dict):
        is_verified = entry.get("isVerified", True)
        if not isinstance(is_verified, bool):
            raise FieldError("isVerified of a domain is not true or false.")
        entry = next((entry[name] for name in ("name", "domain", "id") if name in entry), None)
        if entry is None and not is_verified:
            entry = ""
    if not isinstance(entry, str):
        raise FieldError("a domain is not text.")
    return name if len(name := clean_text(entry)) <= _LONGEST_DOMAIN else "", is_verified


def default_domain_only(customer: Customer) -> tuple[CustomerDomain, ...] | None:
    """Return the one domain the list names, or None where it names none."""
    return (CustomerDomain(customer.default_domain, is_default=True),) if customer.default_domain else None


def read_subscriptions(items: Sequence[Any], customer_id: str) -> tuple[tuple[Subscription, ...], tuple[Rejected, ...]]:
    """Read the subscriptions of one customer; one that cannot be read is rejected by itself."""
    read: dict[str, Subscription] = {}
    rejected = []
    for position, item in enumerate(items):
        try:
            subscription = _read_subscription(item)
            read.setdefault(subscription.subscription_id, subscription)
        except FieldError as error:
            which = f"{customer_id}, subscription {name_record(item, 'id', position)}"
            rejected.append(Rejected(which, f"subscription: {error}"))
    return tuple(read.values()), tuple(rejected)


def _read_subscription(item: Any) -> Subscription:
    if not isinstance(item, dict):
        raise FieldError("the record is not an object.")
    names = (optional_text(item, name) for name in ("offerName", "friendlyName", "offerId"))
    return Subscription(
        subscription_id=required_id(item, "id"),
        offer_name=next(filter(None, names), ""),
        quantity=required_amount(item, "quantity"),
        status=required_text(item, "status"),
        term=optional_text(item, "termDuration"),
        started_at=loose_moment(item.get("effectiveStartDate")) or loose_moment(item.get("creationDate")),
    )
