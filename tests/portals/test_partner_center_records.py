"""What is read of a customer: every form of domains, refused details, bad records, names and subscriptions."""

from __future__ import annotations

from typing import Any

import pytest
from fault_server import Answer, Bench, Request, reset
from http_bench import guid
from portals.centre import centre, fail, listing, named, only, read_all, record

from w365.errors import SourceChanged
from w365.portals.gaps import gaps_in
from w365.source_records import CustomerDomain, Rejected


def test_guids_lose_case_and_braces(place: Bench) -> None:
    raw = "ABCDEF00-0000-4000-8000-00000000000A"
    made = named(1, tenantId="{" + raw + "}")
    made["id"] = raw
    customer = only(read_all(place, centre(lambda _: listing([made])))[0])
    assert customer.specific_id == customer.tenant_guid == raw.lower()


def test_a_default_domain_that_is_not_verified_is_told_as_such(place: Bench) -> None:
    told = [{"name": "A.example", "isVerified": False}, "a.example.", {"name": "no.example", "isVerified": False}]

    def detail(request: Request) -> Answer | None:
        return Answer(told) if request.path.endswith("customDomains") else None

    made = named(1, domain="a.example")
    customer = only(read_all(place, centre(lambda _: listing([made]), detail))[0])
    unproved = [CustomerDomain(name, is_default=True, is_verified=False) for name in ("A.example", "a.example.")]
    assert customer.domains == tuple(unproved)


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


HTML = Answer(b"<html>Error</html>", 200, {"Content-Type": "text/html"})
MFA = Answer({"code": 900421, "description": "MFA is required."}, 401)


@pytest.mark.parametrize("resource", ["customDomains", "subscriptions"])
@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(b"", 401), "the provider refuses it (401)."),
        (MFA, "the provider wants a person who signed in with multi-factor authentication (401, code 900421)."),
        (Answer({"code": "600003"}, 403), "the provider refuses it (403, code 600003)."),
        (Answer(b"", 404), "the provider refuses it (404)."),
        (Answer({}, 429, {"Retry-After": "3600"}), "the provider asked for a longer pause than a sync waits."),
        (Answer(b"<html>", 500), "the provider answered with errors of its own."),
        (HTML, "Partner Center answered with a web page instead of data."),
        (Answer({"unexpected": 1}), "Partner Center answers differently than documented: "),
        (reset, "the provider answered with errors of its own."),
    ],
)
def test_details_that_fail_for_all_customers_cost_them_nothing_else(
    place: Bench, resource: str, answer: Answer, why: str
) -> None:
    """Twelve customers: each call is asked once where it failed five times in a row, and the names are all there."""

    def detail(request: Request) -> Answer | None:
        return answer if request.path.endswith(resource) else None

    records = [record(n) for n in range(12)]
    (page,), server = read_all(place, centre(lambda _: listing(records), detail))
    assert [(each.specific_id, each.name) for each in page.customers] == [(guid(n), f"Customer {n}") for n in range(12)]
    gaps = [gaps_in(each.note) for each in page.customers]
    assert {len(each) for each in gaps} == {1}
    assert {each.is_of_domains for (each,) in gaps} == {resource == "customDomains"}
    assert all(each.why.startswith(why) for (each,) in gaps), gaps
    other = "subscriptions" if resource == "customDomains" else "domains"
    assert all(getattr(each, other) is not None for each in page.customers)
    tokens = sum(path.endswith("/token") for path in server.paths())
    assert tokens <= 1 + 5 + 12  # five in a row, and those on their way


def test_one_customer_in_trouble_keeps_what_is_stored_and_is_asked_four_times(place: Bench) -> None:
    records = [record(n) for n in range(12)]

    def detail(request: Request) -> Answer | None:
        return Answer(b"", 500) if guid(1) in request.path and request.path.endswith("Domains") else None

    (page,), server = read_all(place, centre(lambda _: listing(records), detail))
    assert [each.domains is None for each in page.customers] == [n == 1 for n in range(12)]
    assert sum(guid(1) in path and path.endswith("Domains") for path in server.paths()) == 4


def test_server_errors_for_all_customers_cost_a_call_each_and_no_waiting(place: Bench) -> None:
    records = [record(n) for n in range(100)]
    _, server = read_all(place, centre(lambda _: listing(records), lambda _: Answer(b"", 500)))
    calls = sum(guid(0)[:-2] in path for path in server.paths())
    assert calls <= 2 * (100 + 3 * (5 + 12))
    assert sum(place.clock.slept) < 2 * 20 * 7


def test_silence_for_all_customers_leaves_the_rest_of_the_page_unasked(place: Bench) -> None:
    records = [record(n) for n in range(150)]

    def hang_up(request: Request) -> Any:
        return reset if request.path.endswith(("customDomains", "subscriptions")) else None

    (page,), server = read_all(place, centre(lambda _: listing(records), hang_up))
    assert len(page.customers) == 150
    assert len({path for path in server.paths() if path.endswith("customDomains")}) < 80


def test_one_defect_in_most_subscriptions_keeps_what_is_stored_of_them(place: Bench) -> None:
    def detail(request: Request) -> Answer | None:
        item = {"id": "S1", "offerName": "E5", "status": "active", "seats": 3}
        return Answer({"items": [item]}) if request.path.endswith("subscriptions") else None

    (page,), _ = read_all(place, centre(lambda _: listing([record(n) for n in range(6)]), detail))
    assert {each.subscriptions for each in page.customers} == {None}
    assert {each.note for each in page.customers} == {
        "Subscriptions were not read: subscription: quantity is not a whole number."
    }
    assert page.rejected == ()


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
