"""Partner Center's list over real sockets: paging, links that lead astray, permissions, and being stopped."""

from __future__ import annotations

import json
import threading
import time

import pytest
from fault_server import Answer, Bench, Request
from http_bench import guid
from portals.centre import centre, fail, listing, open_portal, read_all, record

from w365.errors import AccessError, Cancelled, SourceChanged
from w365.portals import Portal


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
        '/customers?size=2&seekOperation=Next&filter={{"Field":"CompanyName","Value":"a b"}}',
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
    assert next(count) == 20


def test_ever_new_links_to_the_same_customers_are_found(place: Bench) -> None:
    count = iter(range(1000))
    error = fail(place, centre(lambda _: listing([record(1)], f"/customers?n={next(count)}", "t")))
    assert "page after page lists the same customers" in error.what
    assert next(count) == 1 + 3


def test_a_customer_listed_twice_comes_once(place: Bench) -> None:
    def lists(request: Request) -> Answer:
        if "next" in request.target:
            return listing([record(2), record(3)])
        braced = record(1, id="{" + guid(1).upper() + "}")
        return listing([record(1), braced, record(2)], "/customers?next", "t")

    pages, server = read_all(place, centre(lists))
    assert [[c.specific_id for c in page.customers] for page in pages] == [[guid(1), guid(2)], [guid(3)]]
    assert sum(path.endswith("customDomains") for path in server.paths()) == 3


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


def test_an_hour_of_pause_asked_for_in_the_details_leaves_the_rest_of_them_unasked(place: Bench) -> None:
    records = [record(n) for n in range(50)]
    busy = Answer({}, 429, {"Retry-After": "3600"})
    (page,), server = read_all(place, centre(lambda _: listing(records), lambda _: busy))
    assert len(page.customers) == 50
    assert sum(path.endswith(("customDomains", "subscriptions")) for path in server.paths()) <= 2 * 12


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
