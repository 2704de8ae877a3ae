"""Pax8's companies and subscriptions turned into our own words."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from w365.http.fields import (
    FieldError,
    clean_text,
    loose_moment,
    optional_text,
    required_id,
    required_quantity,
    required_text,
)
from w365.matching.domains import website_domain
from w365.source_records import Customer, CustomerDomain, Subscription

FROM_WEBSITE = "website"
_DELETED = "deleted"
_INACTIVE = "inactive"
_KNOWN = frozenset(
    {
        "id",
        "name",
        "address",
        "phone",
        "website",
        "externalId",
        "billOnBehalfOfEnabled",
        "selfServiceAllowed",
        "orderApprovalRequired",
        "status",
        "updatedDate",
        "contacts",
    }
)


def read_company(record: Any) -> Customer | None:
    """Read one company; a deleted one is None. Raises FieldError.

    Pax8 knows no tenant and no domains: the website, free text, is all there is. One that is no web address ("n/a")
    leaves the company without a domain.
    """
    if not isinstance(record, dict):
        raise FieldError("the record is not an object.")
    identifier = required_id(record, "id")
    status = optional_text(record, "status").lower()
    if status == _DELETED:
        return None
    domain = website_domain(optional_text(record, "website"))
    return Customer(
        specific_id=identifier,
        name=required_text(record, "name"),
        default_domain=domain,
        domains=(CustomerDomain(domain, is_default=True, is_free_text=True),) if domain else (),
        domain_source=FROM_WEBSITE if domain else "",
        country=_country(record),
        # Pax8's own meaning of the word: a company becomes active with its first contact there.
        note="Inactive at Pax8: it has no contact there." if status == _INACTIVE else "",
    )


def unknown_fields(record: Any) -> frozenset[str]:
    """Name the members of a company that nobody here knows."""
    unknown = record.keys() - _KNOWN if isinstance(record, dict) else frozenset()
    return frozenset(clean_text(name)[:100] for name in unknown)


def read_subscription(record: Any) -> tuple[str, Subscription]:
    """Read one subscription and the id of its company. Raises FieldError."""
    if not isinstance(record, dict):
        raise FieldError("the record is not an object.")
    return required_id(record, "companyId"), Subscription(
        subscription_id=required_id(record, "id"),
        # A partner's subscriptions name few products: one text for all of a kind keeps a long list small.
        offer_name=sys.intern(optional_text(record, "productName")),
        quantity=required_quantity(record, "quantity"),
        status=sys.intern(required_text(record, "status")),
        term=sys.intern(optional_text(record, "billingTerm")),
        started_at=loose_moment(record.get("startDate")) or loose_moment(record.get("createdDate")),
    )


def _country(record: Mapping[str, Any]) -> str:
    address = record.get("address")
    return optional_text(address, "country").upper()[:2] if isinstance(address, dict) else ""
