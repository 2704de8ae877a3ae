"""What the gateways before Microsoft's services answer, and what a wrong clock makes of it, over real sockets."""

from __future__ import annotations

import datetime as dt
import ssl
from email.utils import formatdate

import pytest
import trustme
from fault_server import Answer, Bench, FaultServer, Request, Script, Trick, in_turn, sign_in
from http_bench import conditions, connection_to

from w365.errors import SignInRefused, SourceBusy, SourceRefused, SourceUnreachable, W365Error
from w365.http.client import ApiClient
from w365.http.sign_in.app_tokens import AppTokens

GOOD = Answer({"good": True})
TOKEN = "/oauth2/v2.0/token"
QUOTA = {"statusCode": 403, "message": "Out of call volume quota. Quota will be replenished in 00:01:10."}


def client_of(place: Bench, server: FaultServer, authority: FaultServer | str = "") -> ApiClient:
    around = conditions(place)
    connection = connection_to(place, server, authority=authority)
    tokens = AppTokens("Partner Center", connection, "https://service/.default", conditions=around)
    return ApiClient("Partner Center", connection, tokens, conditions=around)


def ask(place: Bench, *answers: Answer) -> object:
    client = client_of(place, place.serve(sign_in(in_turn(*answers))))
    try:
        return client.get_json("/v1/customers").body
    finally:
        client.close()


def test_a_quota_that_is_used_up_is_waited_for_and_not_taken_for_a_missing_permission(place: Bench) -> None:
    assert ask(place, Answer(QUOTA, 403, {"Retry-After": "70"}), GOOD) == {"good": True}
    assert sum(place.clock.slept) == pytest.approx(70)
    with pytest.raises(SourceBusy, match="asks to wait 2 hours"):
        ask(place, Answer(QUOTA, 403, {"Retry-After": "7200"}))
    with pytest.raises(SourceRefused, match="refused the request"):
        ask(place, Answer(QUOTA, 403))


@pytest.mark.parametrize("wrong_by", [-3600, 3600])
def test_a_pause_until_a_date_is_right_however_wrong_our_clock_is(place: Bench, wrong_by: int) -> None:
    theirs = place.clock.wall() + wrong_by
    headers = {"Date": formatdate(theirs, usegmt=True), "Retry-After": formatdate(theirs + 40, usegmt=True)}
    assert ask(place, Answer({}, 429, headers), GOOD) == {"good": True}
    assert sum(place.clock.slept) == pytest.approx(40)


@pytest.mark.parametrize("name", ["RETRY-AFTER", "retry-after", "Retry-After"])
def test_headers_are_read_in_any_case(place: Bench, name: str) -> None:
    assert ask(place, Answer({}, 503, {name: "9"}), GOOD) == {"good": True}
    assert sum(place.clock.slept) == pytest.approx(9)


def issuing(grant: Answer) -> Script:
    agree = sign_in(in_turn(GOOD))
    return lambda request: grant if request.path.endswith(TOKEN) else agree(request)


def test_a_lifetime_written_as_text_is_kept_to(place: Bench) -> None:
    grant = Answer({"token_type": "Bearer", "expires_in": "3599", "access_token": "token-1"})
    server = place.serve(issuing(grant))
    client = client_of(place, server)
    for _ in range(5):
        client.get_json("/v1/customers")
    client.close()
    assert sum(path.endswith(TOKEN) for path in server.paths()) == 1


def test_a_sign_in_service_that_is_unavailable_for_now_is_asked_again(place: Bench) -> None:
    trouble = {"error": "temporarily_unavailable", "error_description": "AADSTS90033: A transient error has occurred."}
    answers = in_turn(
        Answer(trouble, 400), Answer({"token_type": "Bearer", "expires_in": 3599, "access_token": "token-1"})
    )
    agree = sign_in(in_turn(GOOD))

    def script(request: Request) -> Answer | bytes | Trick:
        return answers(request) if request.path.endswith(TOKEN) else agree(request)

    server = place.serve(script)
    client = client_of(place, server)
    assert client.get_json("/v1/customers").body == {"good": True}
    client.close()
    assert sum(path.endswith(TOKEN) for path in server.paths()) == 2


@pytest.mark.parametrize(
    ("code", "said", "do"),
    [
        (900382, "are in different clouds of Microsoft", "W365_AUTHORITY"),
        (7000229, "has not been added to this tenant", "grants consent"),
        (650052, "has no Partner Center that the application could use", "tenant id and address"),
        (501051, "this one is not (AADSTS501051)", "Enterprise applications"),
        (50133, "was revoked, as by a new password", "signs in again"),
        (50074, "with multi-factor authentication", "signs in again"),
        (53000, "conditional access policy", "excludes the application"),
        (90072, "is a guest", "partner's own tenant"),
        (50059, "does not exist or has no directory", "tenant id"),
    ],
)
def test_what_entra_refuses_is_said_with_what_to_do(place: Bench, code: int, said: str, do: str) -> None:
    body = {"error": "invalid_client", "error_description": f"AADSTS{code}: Words.", "error_codes": [code]}
    client = client_of(place, place.serve(issuing(Answer(body, 400))))
    with pytest.raises(SignInRefused) as caught:
        client.get_json("/v1/customers")
    client.close()
    assert said in caught.value.what
    assert f"(AADSTS{code})." in caught.value.what
    assert do in caught.value.do


@pytest.mark.parametrize(("begins", "ends"), [(-20, -10), (10, 20)])
def test_a_certificate_of_another_time_sends_to_the_clock_first(
    place: Bench, authority: trustme.CA, begins: int, ends: int
) -> None:
    server = place.serve(in_turn(GOOD))
    now = dt.datetime.now(dt.UTC)
    days = {"not_before": now + dt.timedelta(days=begins), "not_after": now + dt.timedelta(days=ends)}
    server._context = context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", **days).configure_cert(context)
    client = client_of(place, server, authority=place.serve(sign_in(in_turn(GOOD))))
    with pytest.raises(SourceUnreachable, match="the certificate of localhost is not trusted") as caught:
        client.get_json("/v1/customers")
    client.close()
    assert caught.value.do.startswith("Look at the clock of this machine first")


def test_a_sync_that_outlives_many_tokens_asks_for_each_once(place: Bench) -> None:
    numbers = iter(range(1, 100))
    uses: dict[str, int] = {}

    def service(request: Request) -> Answer:
        token = request.headers["authorization"]
        uses[token] = uses.get(token, 0) + 1
        return GOOD if uses[token] <= 5 else Answer(b"", 401)

    server = place.serve(sign_in(service, token=lambda: f"token-{next(numbers)}"))
    client = client_of(place, server)
    for _ in range(24):
        assert client.get_json("/v1/customers").body == {"good": True}
    client.close()
    assert list(uses.values()) == [6, 6, 6, 6, 4]


def test_an_error_of_any_shape_ends_in_a_sentence(place: Bench) -> None:
    shapes: list[object] = [
        {"code": None, "description": None},
        {"error": None},
        {"error": {"code": "", "message": ""}},
        {"error": {"code": {"deep": 1}, "message": ["a", "b"]}},
        {"code": 2007, "description": '{"corrected_address": {"city": "X"}}', "data": [{"x": 1}]},
        {"Error": {"Code": "X"}},
        [1, 2],
        "text",
        b"<html><h2>Our services aren't available right now</h2>",
        b"",
    ]
    for shape in shapes:
        with pytest.raises(W365Error, match=r"^Partner Center refused the request \(400"):
            ask(place, Answer(shape, 400))
