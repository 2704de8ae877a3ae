"""Partner Center's customers over real sockets: paging, details, bad records, and what a person reads."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from fault_server import Answer, Bench, FaultServer, Request, Script, sign_in
from http_bench import SECRET, conditions, connection_to

from w365.errors import AccessError, Cancelled, SourceBusy, SourceChanged, SourceUnreachable, W365Error
from w365.http.wait import never_stop
from w365.model import Customer, CustomerDomain, CustomerPage, Rejected
from w365.portals import Portal
from w365.portals.partner_center import PartnerCenter, connect_partner_center

BOM = b"\xef\xbb\xbf"


def guid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def record(number: int, **changes: Any) -> dict[str, Any]:
    identifier = guid(number)
    profile = {"tenantId": identifier, "domain": f"c{number}.example", "companyName": f"Customer {number}"}
    return {"id": identifier, "companyProfile": profile, "relationshipToPartner": "reseller", **changes}


def named(number: int, **profile: Any) -> dict[str, Any]:
    made = record(number)
    made["companyProfile"].update(profile)
    return made


def listing(items: list[Any], uri: str | None = None, token: str = "", total: int = 0) -> Answer:
    links: dict[str, Any] = {"self": {"uri": "/customers", "method": "GET", "headers": []}}
    if uri is not None:
        headers = [{"key": "MS-ContinuationToken", "value": token}] if token else []
        links["next"] = {"uri": uri, "method": "GET", "headers": headers}
    body = {"totalCount": total or len(items), "items": items, "links": links}
    return Answer(BOM + json.dumps(body).encode())


Lists = Callable[[Request], Answer]
Detail = Callable[[Request], Answer | None]


def centre(lists: Lists, detail: Detail = lambda _: None) -> Script:
    """Partner Center with ``lists`` for the list; details are plain unless ``detail`` says otherwise."""

    def service(request: Request) -> Answer:
        if request.path.endswith("/customers"):
            return lists(request)
        if (own := detail(request)) is not None:
            return own
        return Answer(["own.example"] if request.path.endswith("customDomains") else {"items": []})

    return sign_in(service)


def open_portal(place: Bench, server: FaultServer, check: Callable[[], None] = never_stop) -> closing[PartnerCenter]:
    return closing(connect_partner_center(connection_to(place, server), check=check, conditions=conditions(place)))


def read_all(place: Bench, script: Script) -> tuple[list[CustomerPage], FaultServer]:
    server = place.serve(script)
    with open_portal(place, server) as portal:
        return list(portal.pages()), server


def fail(place: Bench, script: Script) -> W365Error:
    with pytest.raises(W365Error) as caught:
        read_all(place, script)
    assert SECRET not in repr(vars(caught.value))
    return caught.value


def only(pages: list[CustomerPage]) -> Customer:
    assert len(pages) == 1
    assert len(pages[0].customers) == 1
    return pages[0].customers[0]


def test_it_is_a_portal(place: Bench) -> None:
    server = place.serve(centre(lambda _: listing([])))
    with open_portal(place, server) as opened:
        portal: Portal = opened
        assert portal.waiting is None


@pytest.mark.parametrize(
    "uri",
    [
        "customers?size=2&seekOperation=Next",
        "/customers?size=2&seekOperation=Next",
        "/v1/customers?size=2&seekOperation=Next",
        "/v1/customers?size=2?seekOperation=Next",
        "{base}/v1/customers?size=2&seekOperation=Next",
    ],
)
def test_every_form_of_next_link_is_followed_with_its_headers(place: Bench, uri: str) -> None:
    def lists(request: Request) -> Answer:
        if request.headers.get("ms-continuationtoken") == "second":
            assert "seekOperation=Next" in request.target
            return listing([record(3)])
        following = uri.format(base=f"https://{request.headers['host']}")
        return listing([record(1), record(2)], following, "second", total=99)

    pages, server = read_all(place, centre(lists))
    assert [c.specific_id for page in pages for c in page.customers] == [guid(1), guid(2), guid(3)]
    assert [page.cursor is None for page in pages] == [False, True]
    assert [page.total for page in pages] == [99, None]  # a total that only counts its page says nothing
    targets = [request.target for request in server.requests if request.path.endswith("/customers")]
    assert targets[0] == "/v1/customers?size=500"
    assert targets[1].startswith("/v1/customers?size=2")


def test_a_cursor_resumes_after_its_page_and_a_stale_one_starts_again(place: Bench) -> None:
    is_stale = False

    def lists(request: Request) -> Answer:
        if request.headers.get("ms-continuationtoken") != "second":
            return listing([record(1)], "/customers?seekOperation=Next", "second")
        return Answer({"code": 1, "description": "Token."}, 400) if is_stale else listing([record(2)])

    server = place.serve(centre(lists))
    with open_portal(place, server) as portal:
        cursor = next(portal.pages()).cursor
        assert [c.specific_id for page in portal.pages(cursor) for c in page.customers] == [guid(2)]
        is_stale = True
        assert next(portal.pages(cursor)).customers[0].specific_id == guid(1)
        assert next(portal.pages("no cursor at all")).customers[0].specific_id == guid(1)


@pytest.mark.parametrize(
    "uri", ["https://evil.example/v1/customers", "http://localhost/v1/customers", "//evil.example/"]
)
def test_a_next_link_to_another_place_is_refused(place: Bench, uri: str) -> None:
    error = fail(place, centre(lambda _: listing([record(1)], uri, "x")))
    assert isinstance(error, SourceChanged)
    assert error.what.startswith("Partner Center names a link to another place (")
    assert "The sign-in was not sent there." in error.kept


def test_a_next_link_may_not_replace_our_own_headers(place: Bench) -> None:
    def lists(_: Request) -> Answer:
        answer = json.loads(listing([record(1)], "/customers?x", "y").body[3:])
        answer["links"]["next"]["headers"] = [{"key": "Authorization", "value": "other"}]
        return Answer(answer)

    assert "headers that cannot be sent" in fail(place, centre(lists)).what


def test_a_list_that_leads_in_a_circle_is_found(place: Bench) -> None:
    error = fail(place, centre(lambda _: listing([record(1)], "/customers?again", "same")))
    assert isinstance(error, SourceChanged)
    assert error.what == (
        "Partner Center answers differently than documented: its list leads in a circle and does not end."
    )


def test_endless_empty_pages_are_found(place: Bench) -> None:
    count = iter(range(1000))
    error = fail(place, centre(lambda _: listing([], f"/customers?n={next(count)}", "t")))
    assert "does not end" in error.what
    assert next(count) <= 21


def test_ever_new_links_to_the_same_customers_are_found(place: Bench) -> None:
    count = iter(range(1000))
    error = fail(place, centre(lambda _: listing([record(1)], f"/customers?n={next(count)}", "t")))
    assert "page after page lists the same customers" in error.what


def test_a_customer_listed_twice_comes_once(place: Bench) -> None:
    def lists(request: Request) -> Answer:
        if "next" in request.target:
            return listing([record(2), record(3)])
        braced = record(1, id="{" + guid(1).upper() + "}")
        return listing([record(1), braced, record(2)], "/customers?next", "t")

    pages, server = read_all(place, centre(lists))
    assert [[c.specific_id for c in page.customers] for page in pages] == [[guid(1), guid(2)], [guid(3)]]
    assert sum(path.endswith("customDomains") for path in server.paths()) == 3


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
    detail: Detail = lambda request: Answer(body) if request.path.endswith("customDomains") else None  # noqa: E731
    customer = only(read_all(place, centre(lambda _: listing([record(1)]), detail))[0])
    assert customer.domains == tuple(CustomerDomain(name, is_default=name == "c1.example") for name in domains)
    assert customer.domain_source == "all custom domains"
    assert customer.note == ""


def test_details_of_one_customer_that_cannot_be_understood_leave_what_is_stored(place: Bench) -> None:
    def detail(request: Request) -> Answer | None:
        return Answer({"unexpected": 1}) if guid(1) in request.path else None

    pages, _ = read_all(place, centre(lambda _: listing([record(1), record(2)]), detail))
    bad, good = pages[0].customers
    assert (bad.domains, bad.subscriptions) == (None, None)
    assert "Domains were not read: Partner Center answers differently than documented" in bad.note
    assert good.domains == (CustomerDomain("own.example"),)


def test_details_that_most_customers_lack_the_shape_of_are_a_change_of_the_source(place: Bench) -> None:
    records = [record(n) for n in range(6)]
    error = fail(place, centre(lambda _: listing(records), lambda _: Answer({"unexpected": 1})))
    assert isinstance(error, SourceChanged)


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
    )


def test_no_permission_to_list_says_which_one(place: Bench) -> None:
    answer = Answer({"code": 600006, "description": "Not allowed."}, 403, {"MS-RequestId": "r-1"})
    error = fail(place, centre(lambda _: answer))
    assert isinstance(error, AccessError)
    assert error.what == (
        "Partner Center does not let the application list customers (403, code 600006: “Not allowed.”; request id r-1)."
    )
    assert "Microsoft Partner Center" in error.do


def test_verify_makes_three_calls_and_says_what_works(place: Bench) -> None:
    server = place.serve(centre(lambda _: listing([record(1)])))
    with open_portal(place, server) as portal:
        assert portal.verify() == (
            "Partner Center accepts the sign-in.",
            "Customers can be listed.",
            "All domains of a customer can be read.",
            "Subscriptions can be read.",
        )
        assert portal.waiting is None
    assert len([path for path in server.paths() if path.startswith("/v1/")]) == 3


def test_an_hour_of_pause_asked_for_in_the_details_ends_the_run(place: Bench) -> None:
    records = [record(n) for n in range(50)]
    busy = Answer({}, 429, {"Retry-After": "3600"})
    error = fail(place, centre(lambda _: listing(records), lambda _: busy))
    assert isinstance(error, SourceBusy)


def test_only_the_thread_that_reads_asks_whether_to_stop_and_all_threads_stop(place: Bench) -> None:
    askers = set()
    before = threading.active_count()

    def check() -> None:
        askers.add(threading.get_ident())
        if server.paths().count(f"/v1/customers/{guid(20)}/customDomains"):
            raise Cancelled("The run was stopped.")

    records = [record(n) for n in range(500)]

    def detail(_: Request) -> None:
        time.sleep(0.01)

    server = place.serve(centre(lambda _: listing(records), detail))
    with open_portal(place, server, check) as portal, pytest.raises(Cancelled):
        list(portal.pages())
    assert askers == {threading.get_ident()}
    assert len(server.requests) < 1000
    server.close()
    for thread in threading.enumerate():
        if thread.name.startswith("details"):
            thread.join(5)
    assert threading.active_count() <= before
