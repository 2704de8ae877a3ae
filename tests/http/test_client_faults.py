"""What a person reads when a service misbehaves, over real sockets with TLS."""

from __future__ import annotations

import gzip
import json
import time
from email.utils import formatdate

import pytest
import trustme
from fault_server import Answer, Bench, FaultServer, Request, Script, drip, in_turn, reset, sign_in, silence
from http_bench import QUICK, SECRET, conditions, connection_to

from w365.connection import Connection
from w365.errors import (
    Cancelled,
    SignInRefused,
    SourceBusy,
    SourceChanged,
    SourceError,
    SourceRefused,
    SourceUnreachable,
    W365Error,
)
from w365.http.client import ApiClient
from w365.http.retry import Patience
from w365.http.sign_in.app_tokens import AppTokens
from w365.http.wait import Check, never_stop

GOOD = Answer({"good": True})
IDS = {"MS-RequestId": "req-42", "MS-CorrelationId": "corr-43"}


def client_of(place: Bench, connection: Connection, patience: Patience = QUICK, check: Check = never_stop) -> ApiClient:
    around = conditions(place, patience)
    tokens = AppTokens("Partner Center", connection, "https://service/.default", conditions=around)
    return ApiClient("Partner Center", connection, tokens, check=check, conditions=around)


def ask(place: Bench, script: Script, patience: Patience = QUICK) -> tuple[object, FaultServer]:
    server = place.serve(sign_in(script))
    client = client_of(place, connection_to(place, server), patience)
    try:
        return client.get_json("/v1/customers").body, server
    finally:
        client.close()


def fail(place: Bench, script: Script, patience: Patience = QUICK) -> tuple[W365Error, FaultServer]:
    server = place.serve(sign_in(script))
    client = client_of(place, connection_to(place, server), patience)
    with pytest.raises(W365Error) as caught:
        client.get_json("/v1/customers")
    client.close()
    assert SECRET not in repr(vars(caught.value))
    assert "token-1" not in repr(vars(caught.value))
    return caught.value, server


def calls(server: FaultServer) -> int:
    return server.paths().count("/v1/customers")


@pytest.mark.parametrize("fault", [reset, silence(0.6), b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"])
def test_a_passing_fault_of_the_connection_is_tried_again_and_not_noticed(place: Bench, fault: object) -> None:
    body, server = ask(place, in_turn(fault, GOOD))  # type: ignore[arg-type]
    assert body == {"good": True}
    assert calls(server) == 2


def test_a_service_that_never_answers_is_named_with_the_number_of_tries(place: Bench) -> None:
    error, server = fail(place, in_turn(silence(1.2)))
    assert isinstance(error, SourceUnreachable)
    assert str(error) == (
        "Partner Center cannot be reached: localhost did not answer in time (tried 4 times). "
        "What was stored so far is kept. Try again later."
    )
    assert calls(server) == 4
    assert sum(place.clock.slept) == pytest.approx(1 + 2 + 4)


def test_a_connection_that_is_reset_every_time_is_named(place: Bench) -> None:
    error, _ = fail(place, in_turn(reset))
    assert error.what == "Partner Center cannot be reached: the connection to localhost was lost (tried 4 times)."


def test_a_dead_host_is_named(place: Bench) -> None:
    authority = place.serve(sign_in(in_turn(GOOD)))
    gone = place.serve(in_turn(GOOD))
    gone.close()
    client = client_of(place, connection_to(place, gone, authority=authority))
    with pytest.raises(SourceUnreachable, match=r"cannot be reached: localhost refuses connections \(tried 4 times\)"):
        client.get_json("/v1/customers")
    client.close()


def test_a_host_name_that_does_not_exist_is_named(place: Bench) -> None:
    authority = place.serve(sign_in(in_turn(GOOD)))
    client = client_of(place, connection_to(place, "https://no-such-host.invalid", authority=authority))
    with pytest.raises(SourceUnreachable, match=r"the host name no-such-host\.invalid is not known \(DNS\)"):
        client.get_json("/v1/customers")
    client.close()


def test_a_certificate_nobody_vouches_for_ends_at_once_and_names_the_setting(place: Bench) -> None:
    authority = place.serve(sign_in(in_turn(GOOD)))
    stranger = FaultServer(trustme.CA(), in_turn(GOOD))
    client = client_of(place, connection_to(place, stranger, authority=authority))
    with pytest.raises(SourceUnreachable) as caught:
        client.get_json("/v1/customers")
    client.close()
    stranger.close()
    assert "the certificate of localhost is not trusted" in caught.value.what
    assert "W365_CA_BUNDLE" in caught.value.do
    assert place.clock.slept == []


def test_one_byte_a_moment_meets_the_total_deadline_in_body_and_headers(place: Bench) -> None:
    patience = Patience(tries=1, read=5.0, total=0.5)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"
    for trick in (drip(head + b" " * 500, 0.05), drip(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 500, 0.05)):
        began = time.monotonic()
        error, _ = fail(place, in_turn(trick), patience)
        assert error.what == "Partner Center cannot be reached: the answer did not arrive in time."
        assert time.monotonic() - began < 1.5


def test_a_body_that_breaks_off_every_time_is_named(place: Bench) -> None:
    error, server = fail(place, in_turn(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"a'))
    assert "the answer broke off in the middle (tried 4 times)" in error.what
    assert calls(server) == 4


def test_a_body_cut_short_without_a_length_is_noticed_too(place: Bench) -> None:
    error, _ = fail(place, in_turn(b'HTTP/1.1 200 OK\r\n\r\n{"items": [{"id": "1"}'))
    assert "the answer broke off in the middle" in error.what


def test_retry_after_in_seconds_is_waited_exactly(place: Bench) -> None:
    body, _ = ask(place, in_turn(Answer({"statusCode": 429}, 429, {"Retry-After": "57"}), GOOD))
    assert body == {"good": True}
    assert sum(place.clock.slept) == pytest.approx(57)


def test_retry_after_as_a_date_is_waited_until_then(place: Bench) -> None:
    date = formatdate(place.clock.wall() + 90, usegmt=True)
    ask(place, in_turn(Answer({}, 429, {"Retry-After": date}), GOOD))
    assert sum(place.clock.slept) == pytest.approx(90, abs=1.1)


@pytest.mark.parametrize("value", ["-5", "NaN", "inf", "soon", "", "1e9", "Wed, 99 Nov 2026 99:99:99 GMT"])
def test_a_retry_after_without_sense_is_ignored(place: Bench, value: str) -> None:
    body, _ = ask(place, in_turn(Answer({}, 429, {"Retry-After": value}), GOOD))
    assert body == {"good": True}
    assert sum(place.clock.slept) == pytest.approx(1)


def test_a_retry_after_of_an_hour_ends_the_run_and_says_until_when(place: Bench) -> None:
    message = {"statusCode": 429, "message": "Rate limit is exceeded. Try again in 3600 seconds."}
    error, server = fail(place, in_turn(Answer(message, 429, {"Retry-After": "3600", **IDS})))
    assert isinstance(error, SourceBusy)
    assert error.what == (
        "Partner Center is busy and asks to wait 60 minutes "
        "(429: “Rate limit is exceeded. Try again in 3600 seconds.”; request id req-42)."
    )
    assert error.do.startswith("Try again after 20")
    assert place.clock.slept == []
    assert calls(server) == 1


def test_a_service_that_is_always_busy_is_given_up(place: Bench) -> None:
    error, server = fail(place, in_turn(Answer({}, 429, {"Retry-After": "100"})))
    assert isinstance(error, SourceBusy)
    assert calls(server) == 7
    assert sum(place.clock.slept) <= QUICK.longest_pause


def test_a_service_that_is_busy_for_moments_only_is_asked_twelve_times(place: Bench) -> None:
    error, server = fail(place, in_turn(Answer({}, 429, {"Retry-After": "2"})))
    assert isinstance(error, SourceBusy)
    assert calls(server) == 12


def test_a_retry_after_of_one_second_is_waited_exactly(place: Bench) -> None:
    busy = Answer({}, 429, {"Retry-After": "1"})
    ask(place, in_turn(busy, busy, busy, GOOD))
    assert sum(place.clock.slept) == pytest.approx(3)


def test_a_date_is_a_moment_on_the_other_sides_clock(place: Bench) -> None:
    theirs = place.clock.wall() + 5_000
    dates = {"Date": formatdate(theirs, usegmt=True), "Retry-After": formatdate(theirs + 90, usegmt=True)}
    ask(place, in_turn(Answer({}, 429, dates), GOOD))
    assert sum(place.clock.slept) == pytest.approx(90, abs=1.1)


def test_a_pause_holds_every_client_of_that_host(place: Bench) -> None:
    server = place.serve(sign_in(in_turn(Answer({}, 429, {"Retry-After": "30"}), GOOD)))
    around = conditions(place)
    connection = connection_to(place, server)
    tokens = AppTokens("Partner Center", connection, "s/.default", conditions=around)
    first = ApiClient("Partner Center", connection, tokens, conditions=around)
    second = ApiClient("Partner Center", connection, tokens, conditions=around)
    first._limiter.pause(30, "Partner Center asked for a pause of 30 seconds.")
    assert second.waiting is not None
    assert second.waiting.why == "Partner Center asked for a pause of 30 seconds."
    second.get_json("/v1/x")
    assert sum(place.clock.slept) >= 30
    first.close()
    second.close()


def test_a_burst_of_server_errors_is_survived_and_a_lasting_one_is_named(place: Bench) -> None:
    body, _ = ask(place, in_turn(Answer(b"<html>", 502), Answer(b"", 500), GOOD))
    assert body == {"good": True}
    error, server = fail(place, in_turn(Answer(b"<html>bad gateway", 502, IDS)))
    assert isinstance(error, SourceUnreachable)
    assert error.what == "Partner Center answered 4 times with a server error (502; request id req-42)."
    assert error.detail == "request id req-42, correlation id corr-43"
    assert calls(server) == 4


@pytest.mark.parametrize("status", [400, 404, 409, 410, 422])
def test_a_refusal_is_not_repeated_and_shows_the_request_id(place: Bench, status: int) -> None:
    refusal = {"code": 2000, "description": "Not\nthis\x00 way.", "data": [], "source": "PartnerFD"}
    error, server = fail(place, in_turn(Answer(refusal, status, IDS)))
    assert isinstance(error, SourceRefused)
    assert error.what == (
        f"Partner Center refused the request ({status}, code 2000: “Not this way.”; request id req-42)."
    )
    assert (error.status, error.code) == (status, "2000")
    assert calls(server) == 1


def test_the_ids_we_sent_stand_in_where_the_answer_has_none(place: Bench) -> None:
    server = place.serve(sign_in(in_turn(Answer(b"", 400))))
    client = client_of(place, connection_to(place, server))
    with pytest.raises(SourceRefused, match="request id ours-7"):
        client.get_json("/v1/customers", headers={"MS-RequestId": "ours-7"})
    client.close()


def test_a_redirect_is_not_followed_with_the_token(place: Bench) -> None:
    elsewhere = place.serve(in_turn(GOOD))
    error, _ = fail(place, in_turn(Answer(b"", 302, {"Location": f"{elsewhere.url}/take?it"})))
    assert isinstance(error, SourceRefused)
    assert error.what == f"Partner Center redirects to localhost:{elsewhere.port} (302), which was not followed."
    assert elsewhere.requests == []


@pytest.mark.parametrize(
    ("link", "named"),
    [
        ("https://evil.example/v1/customers", "evil.example"),
        ("//evil.example/v1", "evil.example"),
        ("http://localhost/v1", "an address that is not https"),
        ("https://localhost@evil.example/v1", "an address that is not https"),
        ("https://localhost\\@evil.example/", "an address that is not https"),
        ("https://localhost:1/v1", "localhost:1"),
    ],
)
def test_a_link_to_another_place_gets_no_token(place: Bench, link: str, named: str) -> None:
    server = place.serve(sign_in(in_turn(GOOD)))
    client = client_of(place, connection_to(place, server))
    with pytest.raises(SourceChanged) as caught:
        client.get_json(link)
    assert caught.value.what == f"Partner Center names a link to another place ({named}), which was not followed."
    assert server.requests == []
    client.close()


def bomb() -> bytes:
    return gzip.compress(b'{"a": "' + b" " * 4_000_000 + b'"}')


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(b"<!DOCTYPE html><title>Sign in to the proxy</title>"), "a web page instead of data"),
        (Answer(b'\xff\xfe{"a": 1}'), "text that is not valid UTF-8"),
        (Answer(b'{"a": NaN}'), "NaN, which is not JSON"),
        (Answer(b'{"a": -Infinity}'), "-Infinity, which is not JSON"),
        (Answer(b"[" * 100_000 + b"]" * 100_000), "data nested too deeply"),
        (Answer(b'{"a": 1} x}'), "text that is not JSON"),
        (Answer(b""), "nothing instead of data"),
        (Answer(b" " * 2_000_000), "more than 1 MiB"),
        (Answer(bomb(), headers={"Content-Encoding": "gzip"}), "more than 1 MiB"),
        (Answer(b"{}", headers={"Content-Encoding": "gzip"}), "gzip that cannot be unpacked"),
        (Answer(b"{}", headers={"Content-Encoding": "br"}), "data packed in a way nobody asked for ('br')"),
    ],
)
def test_an_answer_that_is_no_data_is_refused_in_words(place: Bench, answer: Answer, said: str) -> None:
    error, server = fail(place, in_turn(answer), Patience(body_bytes=1024 * 1024))
    assert isinstance(error, SourceChanged)
    assert error.what == f"Partner Center answered with {said}."
    assert calls(server) == 1


def test_a_byte_order_mark_and_gzip_are_accepted(place: Bench) -> None:
    content = b"\xef\xbb\xbf" + json.dumps({"name": "Ünïcode"}).encode()
    assert ask(place, in_turn(Answer(content)))[0] == {"name": "Ünïcode"}
    packed = Answer(gzip.compress(content), headers={"Content-Encoding": "gzip"})
    assert ask(place, in_turn(packed))[0] == {"name": "Ünïcode"}


def test_an_expired_token_is_renewed_once_and_the_call_replayed(place: Bench) -> None:
    count = iter(range(1, 10))

    def service(request: Request) -> Answer:
        return GOOD if request.headers["authorization"] == "Bearer token-2" else Answer(b"", 401)

    server = place.serve(sign_in(service, token=lambda: f"token-{next(count)}"))
    client = client_of(place, connection_to(place, server))
    assert client.get_json("/v1/customers").body == {"good": True}
    assert client.get_json("/v1/customers").body == {"good": True}
    client.close()
    assert calls(server) == 3
    assert server.paths().count("/tenant/oauth2/v2.0/token") == 2


def test_a_token_refused_twice_is_an_access_error_with_the_code(place: Bench) -> None:
    error, server = fail(place, in_turn(Answer({"code": 900420, "description": "Audience."}, 401)))
    assert isinstance(error, SignInRefused)
    assert error.what == (
        "Partner Center does not accept the sign-in of the application (401, code 900420: “Audience.”)."
    )
    assert calls(server) == 2


def test_a_clock_an_hour_wrong_is_named_when_the_sign_in_is_refused(place: Bench) -> None:
    date = formatdate(place.clock.wall() + 3605, usegmt=True)
    error, _ = fail(place, in_turn(Answer(b"", 401, {"Date": date})))
    assert error.do == "The clock of this machine is 61 minutes behind the other side's. Correct it."


def test_a_message_that_repeats_the_token_is_blotted(place: Bench) -> None:
    error, _ = fail(place, in_turn(Answer({"code": "x", "description": "Bearer token-1 is bad"}, 400)))
    assert "“Bearer … is bad”" in error.what


def test_a_post_is_sent_once_and_says_that_its_outcome_is_not_known(place: Bench) -> None:
    server = place.serve(sign_in(in_turn(reset)))
    client = client_of(place, connection_to(place, server))
    with pytest.raises(SourceUnreachable) as caught:
        client.post_json("/v1/customers", {"a": 1})
    assert caught.value.kept == "Whether the other side carried it out is not known."
    assert calls(server) == 1
    with pytest.raises(SourceUnreachable, match="tried 4 times"):
        client.post_json("/v1/customers", {"a": 1}, headers={"MS-RequestId": "k"}, is_repeatable=True)
    client.close()


def test_a_stopped_run_leaves_a_wait_within_half_a_second(place: Bench) -> None:
    server = place.serve(sign_in(in_turn(Answer({}, 429, {"Retry-After": "500"}))))

    def stop() -> None:
        if sum(place.clock.slept) >= 2:
            raise Cancelled("The run was stopped.")

    client = client_of(place, connection_to(place, server), check=stop)
    with pytest.raises(Cancelled):
        client.get_json("/v1/customers")
    assert sum(place.clock.slept) <= 2.5
    client.close()


def test_a_proxy_that_wants_a_sign_in_is_named(place: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = place.serve(in_turn(Answer(b"", 407)))
    authority = place.serve(sign_in(in_turn(GOOD)))
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.setenv("SSL_CERT_FILE", place.ca_bundle)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    client = client_of(place, connection_to(place, "https://service.example", authority=authority))
    with pytest.raises(SourceError) as caught:
        client.get_json("/v1/customers")
    client.close()
    assert caught.value.what == "Partner Center cannot be reached: the proxy asks for a sign-in (407)."
    assert "HTTPS_PROXY" in caught.value.do


@pytest.mark.parametrize(("seconds", "words"), [(0, ""), (900, "behind"), (-900, "ahead of")])
def test_a_clock_that_is_wrong_by_what_the_other_side_says_is_told(place: Bench, seconds: int, words: str) -> None:
    date = formatdate(place.clock.wall() + seconds, usegmt=True)
    server = place.serve(sign_in(in_turn(Answer({"good": True}, 200, {"Date": date}))))
    client = client_of(place, connection_to(place, server))
    client.get_json("/v1/customers")
    client.close()
    assert words in client.skew
    assert bool(words) == bool(client.skew)
