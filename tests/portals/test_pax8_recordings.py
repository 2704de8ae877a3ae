"""Pax8's own published examples, read by the connector. They are not part of this project and may be absent."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fault_server import Answer, Bench, Request
from http_bench import conditions, connection_to

from w365.errors import SourceChanged
from w365.portals.pax8 import connect_pax8
from w365.source_records import Customer, Rejected

EXAMPLES = Path(__file__).parents[2] / ".." / "shared" / "recordings" / "pax8-openapi" / "examples.json"

pytestmark = pytest.mark.skipif(not EXAMPLES.exists(), reason="the recordings lie beside the project, not in it")


def example(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(EXAMPLES.read_text())[name]
    return found.get("value", found)


def serve(place: Bench, companies: dict[str, Any], subscriptions: dict[str, Any]) -> Any:
    def script(request: Request) -> Answer:
        if request.path == "/v1/token":
            return Answer({"access_token": "token-1", "expires_in": 86400, "token_type": "Bearer"})
        return Answer(companies if request.path == "/v1/companies" else subscriptions)

    server = place.serve(script)
    return closing(connect_pax8(connection_to(place, server), conditions=conditions(place)))


def single(name: str) -> dict[str, Any]:
    """The published page, made the only one: its envelope counts records that the example leaves out."""
    page = example(name)
    count = len(page["content"])
    return page | {"page": page["page"] | {"number": 0, "totalPages": 1, "totalElements": count}}


def test_the_published_pages_are_read_whole(place: Bench) -> None:
    companies, subscriptions = single("companies-paged"), single("subscriptions-paged")
    first = subscriptions["content"][0]
    companies["content"][0]["id"] = first["companyId"]
    with serve(place, companies, subscriptions) as portal:
        (page,) = portal.pages()
    assert page.rejected == ()
    assert page.ignored_fields == frozenset()
    assert [each.name for each in page.customers] == [each["name"] for each in companies["content"]]
    assert [each.default_domain for each in page.customers] == [each["website"] for each in companies["content"]]
    assert [bool(each.note) for each in page.customers] == [
        each["status"] == "Inactive" for each in companies["content"]
    ]
    (bought,) = page.customers[0].subscriptions or ()
    assert (bought.subscription_id, bought.offer_name, bought.quantity, bought.status, bought.term) == (
        first["id"],
        first["productName"],
        first["quantity"],
        first["status"],
        first["billingTerm"],
    )


def damaged(record: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The record with each field deleted, nulled, retyped or renamed."""
    made = []
    for name, value in record.items():
        rest = {key: kept for key, kept in record.items() if key != name}
        for label, extra in (
            ("deleted", {}),
            ("null", {name: None}),
            ("a number", {name: 7}),
            ("a text", {name: "odd"}),
            ("a list", {name: [1]}),
            ("an object", {name: {"x": 1}}),
            ("renamed", {f"{name}Value": value}),
        ):
            made.append((f"{name} {label}", rest | extra))
    return made


@pytest.mark.parametrize("which", ["companies-paged", "subscriptions-paged"])
def test_a_field_that_drifts_ends_in_a_rejected_record_or_an_error_with_a_name(place: Bench, which: str) -> None:
    pages = {name: single(name) for name in ("companies-paged", "subscriptions-paged")}
    pages["companies-paged"]["content"][0]["id"] = pages["subscriptions-paged"]["content"][0]["companyId"]
    template = pages[which]["content"][0]
    pages["companies-paged"]["content"] = pages["companies-paged"]["content"][:1]
    true_name = pages["companies-paged"]["content"][0]["name"]
    for page in pages.values():
        page["page"] = {"number": 0, "totalPages": 1, "totalElements": 1}
    for label, record in damaged(template):
        pages[which]["content"] = [record]
        try:
            found = read(place, pages["companies-paged"], pages["subscriptions-paged"])
        except SourceChanged:
            continue
        names = [each.name for each in found if isinstance(each, Customer)]
        assert set(names) <= {true_name, "odd"}, label
        assert found, label


def read(place: Bench, companies: dict[str, Any], subscriptions: dict[str, Any]) -> list[Customer | Rejected]:
    with serve(place, companies, subscriptions) as portal:
        return [each for page in portal.pages() for each in (*page.customers, *page.rejected)]
