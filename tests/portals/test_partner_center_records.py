"""What is read of a customer: every form of domains, refused details, bad records, names and subscriptions."""

from __future__ import annotations

from typing import Any

import pytest
from fault_server import Answer, Bench, Request
from http_bench import guid
from portals.centre import Detail, centre, fail, listing, named, only, read_all, record

from w365.errors import SourceChanged, SourceUnreachable
from w365.source_records import CustomerDomain, Rejected


def test_guids_lose_case_and_braces(place: Bench) -> None:
    raw = "ABCDEF00-0000-4000-8000-00000000000A"
    made = named(1, tenantId="{" + raw + "}")
    made["id"] = raw
    customer = only(read_all(place, centre(lambda _: listing([made])))[0])
    assert customer.specific_id == customer.tenant_guid == raw.lower()


@pytest.mark.parametrize(
    ("body", "domains"),
    [
        (["a.example", "c1.example"], ["a.example", "c1.example"]),
        ({"customDomains": ["a.example"]}, ["a.example"]),
        (
            {"items": [{"name": "a.example", "isVerified": True}, {"name": "no.example", "isVerified": False}]},
            ["a.example"],
        ),
        ([{"domain": "a.example"}, "a.example"], ["a.example"]),
    ],
)
def test_domains_are_read_in_every_form(place: Bench, body: Any, domains: list[str]) -> None:
    def detail(request: Request) -> Answer | None:
        return Answer(body) if request.path.endswith("customDomains") else None

    customer = only(read_all(place, centre(lambda _: listing([record(1)]), detail))[0])
    assert customer.domains == tuple(CustomerDomain(name, is_default=name == "c1.example") for name in domains)
    assert customer.domain_source == "all custom domains"
    assert customer.note == ""


@pytest.mark.parametrize(
    ("answer", "note"),
    [
        (
            Answer({"code": 20002, "description": "No relationship."}, 403),
            "there is no relationship with this customer (any more; code 20002).",
        ),
        (Answer({"code": "900329"}, 403), "the provider refuses it (403, code 900329)."),
        (Answer(b"", 404), "the provider refuses it (404)."),
    ],
)
def test_a_customer_whose_details_are_refused_stays_with_its_default_domain(
    place: Bench, answer: Answer, note: str
) -> None:
    answer.headers["MS-RequestId"] = "changes-every-time"
    customer = only(read_all(place, centre(lambda _: listing([record(1)]), lambda _: answer))[0])
    assert customer.domains == (CustomerDomain("c1.example", is_default=True),)
    assert customer.domain_source == "default domain only"
    assert customer.subscriptions is None
    assert customer.note == f"Only the default domain is known: {note} Subscriptions were not read: {note}"


def test_details_of_one_customer_that_cannot_be_understood_leave_what_is_stored(place: Bench) -> None:
    def detail(request: Request) -> Answer | None:
        return Answer({"unexpected": 1}) if guid(1) in request.path else None

    pages, _ = read_all(place, centre(lambda _: listing([record(1), record(2)]), detail))
    bad, good = pages[0].customers
    assert (bad.domains, bad.subscriptions) == (None, None)
    assert "Domains were not read: Partner Center answers differently than documented" in bad.note
    assert good.domains == (CustomerDomain("own.example"),)


@pytest.mark.parametrize(("odd", "customers", "is_change"), [(3, 5, True), (4, 4, False), (3, 6, False), (6, 6, True)])
def test_details_that_most_of_five_customers_lack_the_shape_of_are_a_change_of_the_source(
    place: Bench, odd: int, customers: int, *, is_change: bool
) -> None:
    def detail(request: Request) -> Answer | None:
        return Answer({"unexpected": 1}) if any(guid(n) in request.path for n in range(odd)) else None

    script = centre(lambda _: listing([record(n) for n in range(customers)]), detail)
    if is_change:
        assert isinstance(fail(place, script), SourceChanged)
    else:
        assert len(read_all(place, script)[0][0].customers) == customers


def test_one_customer_in_trouble_does_not_end_the_run_but_five_do(place: Bench) -> None:
    records = [record(n) for n in range(12)]

    def detail(failing: int) -> Detail:
        def answer(request: Request) -> Answer | None:
            return Answer(b"", 500) if any(guid(n) in request.path for n in range(failing)) else None

        return answer

    pages, _ = read_all(place, centre(lambda _: listing(records), detail(2)))
    assert [c.domains is None for c in pages[0].customers] == [True, True, *[False] * 10]
    assert "the provider answered with errors of its own." in pages[0].customers[0].note
    error = fail(place, centre(lambda _: listing(records), detail(12)))
    assert isinstance(error, SourceUnreachable)
    assert "answered 4 times with a server error (500; request id " in error.what


def test_a_bad_record_is_rejected_with_its_id_and_the_rest_is_kept(place: Bench) -> None:
    bad = [named(7, companyName=None), named(8, companyName=5), {"companyProfile": {}}, "text"]
    good = [record(n) for n in range(5)]
    pages, _ = read_all(place, centre(lambda _: listing([*bad, *good])))
    assert pages[0].rejected == (
        Rejected(guid(7), "companyName is not text."),
        Rejected(guid(8), "companyName is not text."),
        Rejected("record 3 of its page", "id is missing."),
        Rejected("record 4 of its page", "the record is not an object."),
    )
    assert len(pages[0].customers) == 5


def test_the_same_defect_in_most_records_is_a_change_of_the_source(place: Bench) -> None:
    records = [named(n, companyName=None) for n in range(4)] + [record(n) for n in range(4, 7)]
    error = fail(place, centre(lambda _: listing(records)))
    assert isinstance(error, SourceChanged)
    assert error.what == (
        "Partner Center answers differently than documented, in 4 of 7 records: companyName is not text."
    )
    assert error.kept.startswith("Nothing of this page was stored")


@pytest.mark.parametrize("body", [[], {"value": []}, {"items": None}, {"items": {}}, "text", None])
def test_a_broken_envelope_is_a_change_of_the_source(place: Bench, body: Any) -> None:
    error = fail(place, centre(lambda _: Answer(body)))
    assert isinstance(error, SourceChanged)
    assert "the list of items is missing." in error.what


def test_names_keep_every_script_and_lose_what_no_screen_takes(place: Bench) -> None:
    long = "x" * 32_000
    kept = "ب" * 255
    records = [
        named(1, companyName="A\x00B\x1b[31m\ud800 👩‍🚀"),
        named(2, companyName=long),
        named(3, companyName=kept),
        named(4, companyName="שלום"),
    ]
    names = [c.name for c in read_all(place, centre(lambda _: listing(records)))[0][0].customers]
    assert names == ["AB[31m 👩‍🚀", "x" * 500, kept, "שלום"]
    "".join(names).encode()


def test_unknown_fields_are_ignored_and_named(place: Bench) -> None:
    made = named(1, mood="good")
    made["newThing"] = 1
    pages, _ = read_all(place, centre(lambda _: listing([made])))
    assert pages[0].ignored_fields == {"newThing", "companyProfile.mood"}


def test_subscriptions_keep_unknown_words_and_forgive_odd_dates(place: Bench) -> None:
    items = [
        {"id": "S1", "offerName": "E5", "quantity": 3, "status": "dormant", "termDuration": "P1Y",
         "effectiveStartDate": "2015-11-24T06: 41: 12Z", "commitmentEndDate": "9999-12-31T00:00:00Z"},
        {"id": "S2", "friendlyName": "nick", "quantity": 1, "status": "active",
         "effectiveStartDate": "0001-01-01T00:00:00"},
        {"id": "S3", "quantity": "many", "status": "active"},
        {"id": "S4", "quantity": 2**40, "status": "active"},
        {"id": "S5", "quantity": -1, "status": "active"},
    ]  # fmt: skip

    def detail(request: Request) -> Answer | None:
        return Answer({"items": items}) if request.path.endswith("subscriptions") else None

    pages, _ = read_all(place, centre(lambda _: listing([record(1)]), detail))
    first, second = only(pages).subscriptions or ()
    assert (first.offer_name, first.quantity, first.status, first.term) == ("E5", 3, "dormant", "P1Y")
    assert first.started_at is not None
    assert first.started_at.isoformat() == "2015-11-24T06:41:12+00:00"
    assert (second.offer_name, second.started_at) == ("nick", None)
    assert pages[0].rejected == (
        Rejected(f"{guid(1)}, subscription S3", "subscription: quantity is not a whole number."),
        Rejected(f"{guid(1)}, subscription S4", "subscription: quantity is not a number from 0 to 1,000,000."),
        Rejected(f"{guid(1)}, subscription S5", "subscription: quantity is not a number from 0 to 1,000,000."),
    )
