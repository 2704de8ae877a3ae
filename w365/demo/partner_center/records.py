"""The shapes of Partner Center's resources."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from w365.demo.world import Customer, Reseller, Subscription

TERM_DAYS = {"P1M": 30, "P1Y": 365, "P3Y": 1095}


def customer_item(customer: Customer) -> dict[str, object]:
    """A customer as it stands in a list: no address, no domains but one."""
    return {
        "id": customer.id,
        "companyProfile": _make_profile(customer),
        "relationshipToPartner": customer.relationship,
        "links": {"self": _make_link(f"/customers/{customer.id}")},
        "attributes": {"objectType": "Customer"},
    }


def customer_record(customer: Customer) -> dict[str, object]:
    """A customer asked for by id. ``customDomains`` stays out, as it does for partners with granular rights (GDAP)."""
    billing = {
        "companyName": customer.name,
        "defaultAddress": {"country": customer.country},
        "links": {"self": _make_link(f"/customers/{customer.id}/profiles/billing")},
        "attributes": {"objectType": "CustomerBillingProfile"},
    }
    return customer_item(customer) | {
        "commerceId": customer.id,
        "companyProfile": company_profile(customer),
        "billingProfile": billing,
        "allowDelegatedAccess": False,
    }


def company_profile(customer: Customer) -> dict[str, object]:
    return _make_profile(customer) | {"address": {"country": customer.country}}


def created_record(
    customer: Customer, billing: Mapping[str, object], credentials: Mapping[str, str] | None
) -> dict[str, object]:
    """A customer just created, with its admin's first password, which no other answer holds."""
    profile = dict(billing) | {"attributes": {"objectType": "CustomerBillingProfile"}}
    made = customer_record(customer) | {"billingProfile": profile}
    return made | ({"userCredentials": dict(credentials)} if credentials else {})


def reseller_item(reseller: Reseller) -> dict[str, object]:
    return {
        "id": reseller.id,
        "name": reseller.name,
        "relationshipType": "is_indirect_cloud_solution_provider_of",
        "state": "Active",
        "mpnId": reseller.mpn_id,
        "location": reseller.location,
        "attributes": {"objectType": "PartnerRelationship"},
    }


def subscription_item(subscription: Subscription) -> dict[str, object]:
    end = subscription.created + timedelta(days=TERM_DAYS.get(subscription.term, 365))
    return {
        "id": subscription.id,
        "entitlementId": subscription.id,
        "offerId": subscription.offer_id,
        "offerName": subscription.offer_name,
        "friendlyName": subscription.offer_name,
        "quantity": subscription.quantity,
        "unitType": "Licenses",
        "creationDate": f"{subscription.created:%Y-%m-%dT%H:%M:%SZ}",
        "effectiveStartDate": f"{subscription.created:%Y-%m-%dT00:00:00Z}",
        "commitmentEndDate": f"{end:%Y-%m-%dT00:00:00Z}",
        "status": subscription.status,
        "autoRenewEnabled": not subscription.is_trial,
        "isTrial": subscription.is_trial,
        "billingType": "license",
        "billingCycle": "monthly",
        "termDuration": subscription.term,
        "orderId": subscription.id[:12].replace("-", ""),
        "productType": {"id": "OnlineServicesNCE", "displayName": "OnlineServicesNCE"},
        "links": {"self": _make_link(f"/subscriptions?key={subscription.id}")},
        "attributes": {"etag": subscription.id[:8], "objectType": "Subscription"},
    }


def _make_profile(customer: Customer) -> dict[str, object]:
    return {
        "tenantId": customer.id,
        "domain": customer.domain,
        "companyName": customer.name,
        "links": {"self": _make_link(f"/customers/{customer.id}/profiles/company")},
        "attributes": {"objectType": "CustomerCompanyProfile"},
    }


def _make_link(uri: str) -> dict[str, object]:
    return {"uri": uri, "method": "GET", "headers": []}
