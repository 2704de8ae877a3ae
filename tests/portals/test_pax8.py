"""Pax8's companies over real sockets: paging, subscriptions, websites, bad records, and what a person reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fault_server import Answer, Bench, FaultServer, Request, Script
from http_bench import SECRET, conditions, connection_to, failing, guid

from w365.errors import AccessError, Cancelled, SignInRefused, SourceBusy, SourceChanged, SourceUnreachable, W365Error
from w365.http.wait import never_stop
from w365.portals import Portal
from w365.portals.pax8 import Pax8, connect_pax8
from w365.source_records import Customer, CustomerDomain, CustomerPage, Rejected


def company(number: int, **changes: Any) -> dict[str, Any]:
    made = {"id": guid(number), "name": f"Company {number}", "website": f"c{number}.example", "status": "Active"}
    return made | {"address": {"country": "US"}} | changes


def subscription(number: int, company_number: int, **changes: Any) -> dict[str, Any]:
    made = {"id": guid(1000 + number), "companyId": guid(company_number), "productName": "Seats", "quantity": 3}
    return made | {"status": "Active", "billingTerm": "Monthly", "startDate": "2021-01-01T08:30:00Z"} | changes


def envelope(request: Request, status: int, message: str) -> Answer:
    body = {"type": "ERROR", "message": message, "instance": request.path, "status": status, "details": []}
    return Answer(body, status)


def listing(request: Request, records: list[Any], *, cut: int = 200, **page: Any) -> Answer:
    """The page asked for out of ``records``, which holds the whole list. ``cut`` is the most a page holds."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(request.target).query).items()}
    number, size = int(query["page"]), min(int(query["size"]), cut)
    facts = {"size": size, "totalElements": len(records), "totalPages": -(-len(records) // size), "number": number}
    return Answer({"content": records[number * size : (number + 1) * size], "page": facts | page})


Service = Callable[[Request], Answer]


def pax8(companies: Service | list[Any], subscriptions: Service | list[Any] = ()) -> Script:
    """Pax8 with a token endpoint that agrees; a list is served as it is."""

    def service(request: Request) -> Answer:
        if request.path == "/v1/token":
            return Answer({"access_token": "token-1", "expires_in": 86400, "token_type": "Bearer"})
        given = companies if request.path == "/v1/companies" else subscriptions
        return given(request) if callable(given) else listing(request, list(given))

    return service


def open_portal(place: Bench, server: FaultServer, check: Callable[[], None] = never_stop) -> closing[Pax8]:
    connection = connection_to(place, server)
    return closing(connect_pax8(connection, check=check, conditions=conditions(place)))


def read_all(place: Bench, script: Script, cursor: str | None = None) -> tuple[list[CustomerPage], FaultServer]:
    server = place.serve(script)
    with open_portal(place, server) as portal:
        return list(portal.pages(cursor)), server


def fail(place: Bench, script: Script) -> W365Error:
    return failing(lambda: read_all(place, script))


def only(pages: list[CustomerPage]) -> Customer:
    assert [len(page.customers) for page in pages] == [1]
    return pages[0].customers[0]


def ids(pages: list[CustomerPage]) -> list[str]:
    return [each.specific_id for page in pages for each in page.customers]


def test_it_is_a_portal(place: Bench) -> None:
    with open_portal(place, place.serve(pax8([]))) as opened:
        portal: Portal = opened
        assert portal.waiting is None


def test_the_secret_goes_to_the_token_endpoint_as_json_and_nowhere_else(place: Bench) -> None:
    _, server = read_all(place, pax8([company(1)]))
    sent = server.requests[0]
    assert (sent.method, sent.path, sent.headers["content-type"]) == ("POST", "/v1/token", "application/json")
    assert json.loads(sent.body) == {
        "client_id": "11111111-2222-4333-8444-555555555555",
        "client_secret": SECRET,
        "audience": "https://api.pax8.com",
        "grant_type": "client_credentials",
    }
    others = server.requests[1:]
    assert all(each.headers["authorization"] == "Bearer token-1" for each in others)
    assert not any(SECRET in f"{each.target}{each.headers}{each.body!r}" for each in others)


def test_all_companies_come_with_their_subscriptions_in_one_call_per_page(place: Bench) -> None:
    companies = [company(number) for number in range(450)]
    bought = [subscription(number, number % 450) for number in range(900)]
    pages, server = read_all(place, pax8(companies, bought))
    assert ids(pages) == [guid(number) for number in range(450)]
    assert {len(each.subscriptions or ()) for page in pages for each in page.customers} == {2}
    assert [page.total for page in pages] == [450] * 3
    assert [page.cursor is None for page in pages] == [False, False, True]
    assert len(server.requests) == 1 + 5 + 1 + 3  # the first page of subscriptions twice
    assert {parse_qs(urlsplit(each.target).query)["size"][0] for each in server.requests[1:]} == {"200"}


def test_a_list_that_grows_as_fast_as_it_is_read_is_left(place: Bench) -> None:
    def grows(request: Request) -> Answer:
        number = int(parse_qs(urlsplit(request.target).query)["page"][0])
        page = {"size": 200, "totalElements": 200 * number + 400, "totalPages": number + 2, "number": number}
        return Answer({"content": [company(1)], "page": page})

    error = fail(place, pax8(grows))
    assert isinstance(error, SourceChanged)
    assert "its list grows while it is read and does not end." in error.what


def test_a_company_is_read_in_our_words(place: Bench) -> None:
    records = [company(1, website="HTTPS://WWW.Adatum.co.uk/about?x=1", externalId="A123", address={"country": "gb"})]
    bought = [subscription(1, 1, status="SomethingNew", quantity=12.0, billingTerm="3-Year", companyId=guid(1).upper())]
    read = only(read_all(place, pax8(records, bought))[0])
    assert (read.name, read.default_domain, read.domain_source) == ("Company 1", "adatum.co.uk", "website")
    assert read.domains == (CustomerDomain("adatum.co.uk", is_default=True, is_free_text=True),)
    assert (read.country, read.tenant_guid, read.note) == ("GB", "", "")
    assert read.subscriptions
    (sub,) = read.subscriptions
    assert (sub.offer_name, sub.quantity, sub.status, sub.term) == ("Seats", 12, "SomethingNew", "3-Year")
    assert str(sub.started_at) == "2021-01-01 08:30:00+00:00"
    assert "A123" not in repr(read)


@pytest.mark.parametrize(
    ("website", "domain"),
    [
        ("https://www.pax8.com/", "pax8.com"),
        ("WWW.ADATUM.COM", "adatum.com"),
        (" adatum.com/path ", "adatum.com"),
        ("http://adatum.com:8080", "adatum.com"),
        ("n/a", ""),
        ("www", ""),
        ("", ""),
        (None, ""),
        ("192.168.1.1", ""),
    ],
)
def test_a_website_is_a_domain_or_nothing(place: Bench, website: str | None, domain: str) -> None:
    read = only(read_all(place, pax8([company(1, website=website)]))[0])
    assert read.default_domain == domain
    assert read.domains == ((CustomerDomain(domain, is_default=True, is_free_text=True),) if domain else ())
    assert read.note == ""


def test_the_odd_offset_of_dates_is_read(place: Bench) -> None:
    bought = [subscription(1, 1, startDate="2023-08-11T11:33:12.314-0600"), subscription(2, 1, startDate=None)]
    bought[1]["createdDate"] = "2020-12-03"
    read = only(read_all(place, pax8([company(1)], bought))[0])
    moments = [str(each.started_at) for each in read.subscriptions or ()]
    assert moments == ["2023-08-11 17:33:12.314000+00:00", "2020-12-03 00:00:00+00:00"]


def test_a_deleted_company_is_not_listed_and_an_inactive_one_says_so(place: Bench) -> None:
    records = [company(1, status="Deleted"), company(2, status="Inactive"), company(3, status="Paused")]
    pages, server = read_all(place, pax8(records))
    assert ids(pages) == [guid(2), guid(3)]
    assert [each.note for page in pages for each in page.customers] == [
        "Inactive at Pax8: it has no contact there.",
        "",
    ]
    assert server.paths().count("/v1/companies") == 1


def test_a_bad_record_is_named_and_the_rest_is_kept(place: Bench) -> None:
    records = [company(1), company(2, name=None), {"name": "x"}, "text", company(5), company(6), company(7), company(8)]
    bought = [subscription(1, 1, quantity="1.5"), subscription(2, 1), subscription(3, 1), {"companyId": guid(1)}]
    pages, _ = read_all(place, pax8(records, bought))
    assert ids(pages) == [guid(1), guid(5), guid(6), guid(7), guid(8)]
    assert pages[0].rejected == (
        Rejected(guid(2), "name is not text."),
        Rejected("record 3 of its page", "id is missing."),
        Rejected("record 4 of its page", "the record is not an object."),
        Rejected(f"{guid(1)}, subscription {guid(1001)}", "subscription: quantity is not a whole number."),
        Rejected(f"{guid(1)}, subscription record 4 of its page", "subscription: id is missing."),
    )
    assert [each.subscription_id for each in pages[0].customers[0].subscriptions or ()] == [guid(1002), guid(1003)]


def test_members_nobody_knows_are_named(place: Bench) -> None:
    pages, _ = read_all(place, pax8([company(1, loyaltyTier="gold")]))
    assert pages[0].ignored_fields == {"loyaltyTier"}


@pytest.mark.parametrize(
    ("changes", "how"),
    [
        ({"name": 7}, "name is not text."),
        ({"website": ["x"]}, "website is not text."),
        ({"id": None}, "id is not text."),
        ({"status": 1}, "status is not text."),
    ],
)
def test_the_same_defect_in_most_companies_is_a_changed_source(place: Bench, changes: dict[str, Any], how: str) -> None:
    error = fail(place, pax8([company(number, **changes) for number in range(6)]))
    assert isinstance(error, SourceChanged)
    assert error.what == f"Pax8 answers differently than documented, in 6 of 6 records: {how}"


@pytest.mark.parametrize(
    ("body", "how"),
    [
        ([], "the list “content” is missing."),
        ({"content": {}, "page": {}}, "the list “content” is missing."),
        ({"content": []}, "page is missing."),
        ({"content": [], "page": {"number": 0, "totalPages": "1"}}, "totalPages is not a whole number."),
        ({"content": [], "page": {"number": 3, "totalPages": 9, "totalElements": 1}}, "it sent page 3 where page 0"),
        ({"content": [], "page": {"number": 0, "totalPages": 2, "totalElements": 1}}, "a page in the middle of a list"),
    ],
)
def test_an_answer_of_another_shape_is_a_changed_source(place: Bench, body: Any, how: str) -> None:
    error = fail(place, pax8(lambda _: Answer(body)))
    assert isinstance(error, SourceChanged)
    assert error.what.startswith(f"Pax8 answers differently than documented: {how}")


def test_a_company_that_slipped_over_the_edge_of_a_page_is_found_in_a_second_walk(place: Bench) -> None:
    """A deletion on page one, after it was read, moves the first company of page two to where nobody looks again."""
    records = [company(number) for number in range(6)]

    def companies(request: Request) -> Answer:
        answer = listing(request, records, cut=2)
        if "page=0" in request.target and len(records) == 6:
            del records[0]
        return answer

    pages, server = read_all(place, pax8(companies))
    assert sorted(ids(pages)) == [guid(number) for number in range(6)]
    assert pages[-1].cursor is None
    assert server.paths().count("/v1/companies") == 3 + 3


def test_a_list_that_announces_more_than_it_holds_is_read_twice_and_no_more(place: Bench) -> None:
    def companies(request: Request) -> Answer:
        return listing(request, [company(1), company(2)], totalElements=3)

    pages, server = read_all(place, pax8(companies))
    assert ids(pages) == [guid(1), guid(2)]
    assert [page.cursor is None for page in pages] == [False, True]
    assert [page.lack for page in pages] == ["", "it gave 2 of 3."]
    assert server.paths().count("/v1/companies") == 2


def test_a_cursor_resumes_after_its_page_and_what_is_no_cursor_starts_again(place: Bench) -> None:
    server = place.serve(pax8(lambda request: listing(request, [company(n) for n in range(4)], cut=2)))
    with open_portal(place, server) as portal:
        cursor = next(portal.pages()).cursor
        assert ids(list(portal.pages(cursor))) == [guid(2), guid(3)]
        for nonsense in ("nonsense", "[1]", '{"a": 1}', "[0, -1, 0]", "7", "[1, 2, 3, 4, 5]"):
            assert len(ids(list(portal.pages(nonsense)))) == 4


def test_refused_companies_name_the_permission(place: Bench) -> None:
    error = fail(place, pax8(lambda request: envelope(request, 403, "Forbidden")))
    assert isinstance(error, AccessError)
    assert error.what == "Pax8 does not let the application list companies (403: “Forbidden”)."
    assert error.do.startswith("Check in Pax8 that the credentials")


def test_wrong_credentials_are_named_and_sent_once(place: Bench) -> None:
    refusal = Answer({"error": "access_denied", "error_description": f"Unauthorized {SECRET}"}, 401)
    server = place.serve(lambda _: refusal)
    with open_portal(place, server) as portal:
        for _ in range(2):
            with pytest.raises(SignInRefused) as caught:
                portal.verify()
    assert caught.value.what == "Pax8 does not accept the client id and the client secret (401: “Unauthorized …”)."
    assert caught.value.do == "Copy both once more from where they were made, or make new ones."
    assert server.paths() == ["/v1/token"]


def test_an_expired_token_is_renewed_once(place: Bench) -> None:
    is_first = [True]

    def companies(request: Request) -> Answer:
        if is_first.pop() if is_first else False:
            return envelope(request, 401, "Unauthorized")
        return listing(request, [company(1)])

    pages, server = read_all(place, pax8(companies))
    assert ids(pages) == [guid(1)]
    assert server.paths().count("/v1/token") == 2


def test_a_busy_answer_without_retry_after_is_waited_out_and_in_the_end_named(place: Bench) -> None:
    left = [2]

    def companies(request: Request) -> Answer:
        left[0] -= 1
        return envelope(request, 429, "Too Many Requests") if left[0] >= 0 else listing(request, [company(1)])

    pages, _ = read_all(place, pax8(companies))
    assert ids(pages) == [guid(1)]
    assert sum(place.clock.slept) >= 1
    error = fail(place, pax8(lambda request: envelope(request, 429, "Too Many Requests")))
    assert isinstance(error, SourceBusy)
    assert error.what.startswith("Pax8 is busy and asks to wait")


def test_server_errors_end_in_a_sentence(place: Bench) -> None:
    error = fail(place, pax8(lambda request: envelope(request, 500, "Boom")))
    assert isinstance(error, SourceUnreachable)
    assert error.what == "Pax8 answered 4 times with a server error (500: “Boom”)."


def test_verify_says_what_works(place: Bench) -> None:
    server = place.serve(pax8([company(1), company(2)], [subscription(1, 1)]))
    with open_portal(place, server) as portal:
        assert portal.verify() == (
            "Pax8 accepts the sign-in.",
            "Companies can be listed (2).",
            "Subscriptions can be read.",
        )
    assert len(server.requests) == 3
    server = place.serve(pax8([], lambda request: envelope(request, 403, "Forbidden")))
    with open_portal(place, server) as portal:
        assert portal.verify()[2] == "Subscriptions were not read: the provider refuses it (403)."


def test_a_stop_is_heard_between_pages(place: Bench) -> None:
    calls = [0]

    def check() -> None:
        calls[0] += 1
        if len(server.requests) >= 4:
            raise Cancelled("Stopped.")

    server = place.serve(pax8(lambda request: listing(request, [company(n) for n in range(40)], cut=2)))
    with open_portal(place, server, check) as portal, pytest.raises(Cancelled):
        list(portal.pages())
    assert len(server.requests) <= 5
