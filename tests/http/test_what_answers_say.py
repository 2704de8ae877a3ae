"""What answers say in other places than expected: pauses in bodies, errors within errors, links half written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fault_server import Answer, Bench, FaultServer, Request, in_turn, sign_in
from http_bench import conditions, connection_to, failing

from w365.errors import SourceBusy, SourceChanged, SourceUnreachable, W365Error
from w365.http.client import ApiClient
from w365.http.sign_in.app_tokens import AppTokens

GOOD = Answer({"good": True})
_OPENED: list[ApiClient] = []


def client_of(place: Bench, server: FaultServer) -> ApiClient:
    around, connection = conditions(place), connection_to(place, server)
    tokens = AppTokens("Dataverse", connection, "https://service/.default", conditions=around)
    _OPENED.append(client := ApiClient("Dataverse", connection, tokens, conditions=around))
    return client


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    yield
    while _OPENED:
        _OPENED.pop().close()


def ask(place: Bench, *answers: Answer) -> Any:
    return client_of(place, place.serve(sign_in(in_turn(*answers)))).get_json("/v1/customers").body


def refused(place: Bench, answer: Answer) -> W365Error:
    return failing(lambda: ask(place, answer))


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        ({"statusCode": 429, "message": "Rate limit is exceeded. Try again in 57 seconds."}, 57),
        ({"error": {"code": "TooManyRequests", "message": "Please retry after 2 minutes."}}, 120),
        ({"error": {"message": "Busy", "details": [{"retryDelay": "31s"}]}}, 31),
        ({"retryAfter": 12}, 12),
        ({"error": {"innererror": {"retry_after_seconds": "45"}}}, 45),
        ({"retryAfterInMs": 9000}, 9),
        ({"message": "Quota will be replenished in 00:01:10."}, 70),
        ({"message": "Try again in 1500 ms."}, 1.5),
        ({"message": "Try again in a while.", "retryAfter": "soon"}, 1),
        ({"retryAfter": -5}, 1),
        ({"retryAfter": {"a": [1]}}, 1),
    ],
)
def test_a_pause_that_only_the_body_tells_is_kept(place: Bench, body: Any, seconds: float) -> None:
    assert ask(place, Answer(body, 429), GOOD) == {"good": True}
    assert sum(place.clock.slept) == pytest.approx(seconds)


@pytest.mark.parametrize("header", ["retry-after-ms", "x-ms-retry-after-ms"])
def test_a_pause_in_milliseconds_is_kept(place: Bench, header: str) -> None:
    assert ask(place, Answer({}, 429, {header: "5000"}), GOOD) == {"good": True}
    assert sum(place.clock.slept) == pytest.approx(5)


def test_the_header_counts_before_the_body_and_a_long_pause_in_the_body_ends_the_run(place: Bench) -> None:
    body = {"message": "Try again in 57 seconds."}
    assert ask(place, Answer(body, 429, {"Retry-After": "7"}), GOOD) == {"good": True}
    assert sum(place.clock.slept) == pytest.approx(7)
    error = refused(place, Answer({"message": "Try again in 2 hours."}, 429))
    assert isinstance(error, SourceBusy)
    assert "asks to wait 2 hours" in error.what


def test_a_service_that_is_unavailable_for_a_while_that_its_body_tells_is_waited_for(place: Bench) -> None:
    assert ask(place, Answer({"message": "Try again in 20 seconds."}, 503), GOOD) == {"good": True}
    assert sum(place.clock.slept) == pytest.approx(20)
    assert isinstance(refused(place, Answer({"message": "Out of order."}, 503)), SourceUnreachable)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ({"code": "0x80040265", "message": "Failed.", "innererror": {"message": "A plug-in refused it."}},
         "(400, code 0x80040265: “Failed. (A plug-in refused it.)”)"),
        ({"code": "A", "message": "Failed.", "innerError": {"code": "B", "innerError": {"code": "quotaExceeded"}}},
         "(400, code A: “Failed. (quotaExceeded)”)"),
        ({"code": "A", "message": "", "innererror": {"message": "Deep."}}, "(400, code A: “Deep.”)"),
        ({"code": "A", "message": "Same.", "innererror": {"message": "Same."}}, "(400, code A: “Same.”)"),
        ({"code": "A", "message": "x" * 500, "innererror": {"message": "y" * 500}}, "… (yyyy"),
        ({"code": "A", "message": "No.", "innererror": "text"}, "(400, code A: “No.”)"),
    ],
)  # fmt: skip
def test_the_error_within_is_shown(place: Bench, error: Any, said: str) -> None:
    assert said in refused(place, Answer({"error": error}, 400)).what


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("accounts?$skiptoken=2", "/api/data/v9.2/accounts?$skiptoken=2"),
        ("/api/data/v9.2/accounts?page=2", "/api/data/v9.2/accounts?page=2"),
        ("?page=2", "/api/data/v9.2/contacts?page=2"),
        ("//{host}/other?a=1", "/other?a=1"),
        ("https://{host}/a?$filter=name eq 'x y'", "/a?$filter=name%20eq%20'x%20y'"),
        ('https://{host}/a?$skiptoken=<cookie page="2"/>', "/a?$skiptoken=%3Ccookie%20page=%222%22/%3E"),
        ("https://{host}/a?b=%3Ccookie%20x%3E&c=100%", "/a?b=%3Ccookie%20x%3E&c=100%25"),
        ("https://{host}/a?q=größe#2", "/a?q=gr%C3%B6%C3%9Fe%232"),
        ('/a?filter={{"Field":"x"}}', "/a?filter=%7B%22Field%22:%22x%22%7D"),
        (" https://{host}/a ", "/a"),
    ],
)
def test_a_link_that_is_relative_or_not_escaped_is_followed(place: Bench, link: str, target: str) -> None:
    server = place.serve(sign_in(lambda _: GOOD))
    client = client_of(place, server)
    answer = client.get_json("/api/data/v9.2/contacts?page=1")
    client.get_json(answer.follow(link.format(host=server.url.removeprefix("https://"))))
    assert server.requests[-1].target == target
    assert "authorization" in server.requests[-1].headers


@pytest.mark.parametrize("link", ["https://[::1", "https://localhost:x/", "https://user@localhost/a"])
def test_a_link_that_is_no_address_is_not_called_another_place(place: Bench, link: str) -> None:
    server = place.serve(sign_in(lambda _: GOOD))
    error = failing(lambda: client_of(place, server).get_json(link))
    assert isinstance(error, SourceChanged)
    assert error.what == "Dataverse names a link that is no address, which was not followed."
    assert server.requests == []


def test_whether_a_link_is_at_this_service_is_told_of_one_that_is_not_escaped_too(place: Bench) -> None:
    server = place.serve(sign_in(lambda _: GOOD))
    client = client_of(place, server)
    assert client.is_at(f'{server.url}/accounts?$deltatoken=<a "b">')
    assert not client.is_at("https://evil.example/accounts?$deltatoken=<a>")


def test_a_link_written_with_spaces_leads_through_a_whole_list(place: Bench) -> None:
    def pages(request: Request) -> Answer:
        is_second = "page" in request.target
        return Answer({"value": [2 if is_second else 1]} | ({} if is_second else {"next": "rows?$skiptoken=<page 2>"}))

    client = client_of(place, place.serve(sign_in(pages)))
    first = client.get_json("/api/rows")
    assert client.get_json(first.follow(first.body["next"])).body == {"value": [2]}
