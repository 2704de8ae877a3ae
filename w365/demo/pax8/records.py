"""The shapes of Pax8's resources."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta, timezone

from w365.demo.world import Company, Subscription

_SPACE = uuid.UUID("5f0c5b9e-2f0b-4ac8-9f0e-8d8a54cf1b70")
_DENVER = timezone(timedelta(hours=-6))


def company_record(company: Company) -> dict[str, object]:
    address = {
        "street": "1 Harbour Street",
        "city": company.city,
        "stateOrProvince": "",
        "postalCode": "00000",
        "country": company.country,
    }
    record: dict[str, object] = {
        "id": company.id,
        "name": company.name,
        "address": address,
        "phone": "555-555-0100",
        "website": company.website,
        "status": company.status,
        "selfServiceAllowed": False,
        "billOnBehalfOfEnabled": False,
        "orderApprovalRequired": False,
        "updatedDate": _company_moment(company.updated),
    }
    # The real service leaves out what is not set.
    return record | ({"externalId": company.external_id} if company.external_id else {})


def subscription_record(company_id: str, subscription: Subscription) -> dict[str, object]:
    return {
        "id": subscription.id,
        "companyId": company_id,
        "productId": str(uuid.uuid5(_SPACE, subscription.offer_name)),
        "quantity": subscription.quantity,
        "startDate": f"{subscription.created:%Y-%m-%dT08:30:00Z}",
        "createdDate": f"{subscription.created:%Y-%m-%d}",
        "billingStart": f"{subscription.created:%Y-%m-%d}",
        "status": subscription.status,
        "price": 10 * subscription.quantity,
        "currencyCode": "USD",
        "productName": subscription.offer_name,
        "billingTerm": subscription.term,
    }


def _company_moment(moment: datetime) -> str:
    """Write a moment as Pax8 does for companies: the offset without its colon."""
    local = moment.astimezone(_DENVER)
    return f"{local:%Y-%m-%dT%H:%M:%S}.{local.microsecond // 1000:03}-0600"
