"""Microsoft's own published samples of the kinds we read, and what becomes of each field when it drifts."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from w365.http.body import parse_json
from w365.http.fields import FieldError
from w365.http.refusal import read_refusal
from w365.http.transport import RawAnswer
from w365.portals.partner_center.collection import place_uri
from w365.portals.partner_center.records import read_customer, read_domains, read_subscriptions
from w365.source_records import Customer, Subscription

RECORDINGS = Path(__file__).parents[2] / ".." / "shared" / "recordings" / "partner-center-docs"
CUSTOMER_LISTS = ["get-a-list-of-customers", "get-a-customer-by-name", "get-customers-of-an-indirect-reseller"]
SUBSCRIPTION_LISTS = [
    "get-all-of-a-customer-s-subscriptions",
    "get-all-subscriptions-by-partner",
    "get-a-list-of-subscriptions-by-order",
]


def recorded(name: str) -> dict[str, Any]:
    path = RECORDINGS / f"{name}.json"
    if not path.is_file():
        pytest.skip(f"the recorded payload {name} is not beside this project")
    response: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["response"]
    return response


@pytest.mark.parametrize("name", CUSTOMER_LISTS)
def test_every_recorded_customer_is_read(name: str) -> None:
    body = recorded(name)["json"]
    assert body["items"]
    for item in body["items"]:
        customer = read_customer(item)
        assert customer.specific_id == item["id"]
        assert customer.tenant_guid == item["id"]
        assert customer.name == item["companyProfile"]["companyName"]
        assert customer.default_domain == item["companyProfile"]["domain"]


@pytest.mark.parametrize("name", SUBSCRIPTION_LISTS)
def test_every_recorded_subscription_is_read_or_rejected_by_name(name: str) -> None:
    items = recorded(name)["json"]["items"]
    read, rejected = read_subscriptions(items, "customer")
    assert len({item["id"] for item in items}) == len(read) + len(rejected)
    assert not rejected
    assert all(subscription.status and subscription.started_at for subscription in read)


def test_the_recorded_custom_domains_of_a_customer_are_read() -> None:
    body = recorded("get-a-customer-by-id")["json"]
    (domain,) = read_domains(body, body["companyProfile"]["domain"])
    assert (domain.name, domain.is_default) == ("abcdefgh1234.ccsctp.net", True)


def test_the_recorded_link_to_a_next_page_is_placed() -> None:
    following = recorded("get-invoice-unbilled-recon-lineitems")["json"]["links"]["next"]
    assert place_uri(following["uri"]).startswith("/v1/invoices/")
    assert following["headers"][0]["key"] == "MS-ContinuationToken"


@pytest.mark.parametrize("name", ["api-throttling-guidance", "get-partner-by-mpn-id.2"])
def test_every_recorded_error_is_taken_apart(name: str) -> None:
    response = recorded(name)
    content = json.dumps(response["json"]).encode() if "json" in response else response["body_text"].encode()
    headers = {key.lower(): value for key, value in response["headers"]}
    refusal = read_refusal(RawAnswer(response["status"], headers, content), {})
    assert refusal.status == response["status"]
    assert refusal.message
    assert refusal.code or refusal.status == 429


CUSTOMER = {
    "id": "45c44870-ef77-4fdd-b6fe-3dacb075cff2",
    "companyProfile": {
        "tenantId": "45c44870-ef77-4fdd-b6fe-3dacb075cff2",
        "domain": "contoso.onmicrosoft.com",
        "companyName": "Contoso",
    },
    "relationshipToPartner": "reseller",
}
SUBSCRIPTION = {
    "id": "83ef9d05-4169-4ef9-9657-0e86b1eab1de",
    "offerName": "E3",
    "quantity": 3,
    "status": "active",
    "termDuration": "P1Y",
    "effectiveStartDate": "2015-11-24T08:00:00Z",
}
ODD: list[Any] = [None, 7, 1.5, True, [], ["x"], {}, {"x": 1}]


def drifts(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every field deleted, renamed, and turned into every other type, at every depth."""
    for key, value in record.items():
        for odd in ODD:
            yield {**record, key: odd}
        rest = {name: kept for name, kept in record.items() if name != key}
        yield rest
        yield {**rest, key.upper(): value}
        if isinstance(value, dict):
            for inner in drifts(value):
                yield {**record, key: inner}


def test_a_customer_that_drifts_is_rejected_or_read_without_a_wrong_value() -> None:
    true = read_customer(CUSTOMER)
    for drifted in drifts(CUSTOMER):
        try:
            read = read_customer(copy.deepcopy(drifted))
        except FieldError as error:
            assert str(error).endswith(".")  # noqa: PT017 - both outcomes are right, a traceback is not
        else:
            for name in Customer.__slots__:
                assert getattr(read, name) in {getattr(true, name), ""}, (name, drifted)


def test_a_subscription_that_drifts_is_rejected_or_read_without_a_wrong_value() -> None:
    ((true,), _) = read_subscriptions([SUBSCRIPTION], "c")
    for drifted in drifts(SUBSCRIPTION):
        read, rejected = read_subscriptions([drifted], "c")
        assert len(read) + len(rejected) == 1
        for subscription in read:
            for name in Subscription.__slots__:
                is_given_number = name == "quantity" and drifted.get("quantity") == 7
                assert is_given_number or getattr(subscription, name) in {getattr(true, name), "", None}


def test_the_drift_matrix_is_not_empty() -> None:
    assert len(list(drifts(CUSTOMER))) > 50
    assert parse_json(b"{}") == {}
