"""What a person reads when the sign-in fails."""

from __future__ import annotations

import threading
from email.utils import formatdate

import pytest
from fault_server import Answer, Bench, FaultServer, Request, Script, in_turn, reset, sign_in
from http_bench import SECRET, conditions, connection_to

from w365.errors import SignInRefused, SourceChanged, SourceUnreachable, W365Error
from w365.http.sign_in.app_tokens import AppTokens

TOKEN_PATH = "/tenant/oauth2/v2.0/token"


def refusing(answer: Answer, at: str = TOKEN_PATH) -> Script:
    agree = sign_in(in_turn(Answer(b"", 404)))

    def script(request: Request) -> object:
        return answer if request.path.endswith(at) else agree(request)

    return script  # type: ignore[return-value]


def aadsts(code: int, text: str) -> Answer:
    return Answer(
        {
            "error": "invalid_client",
            "error_description": f"AADSTS{code}: {text} {SECRET} Trace ID: t-1 Correlation ID: c-2 Timestamp: now",
            "error_codes": [code],
            "trace_id": "t-1",
            "correlation_id": "c-2",
        },
        401,
    )


def fail(place: Bench, script: Script) -> tuple[W365Error, FaultServer]:
    server = place.serve(script)
    tokens = AppTokens("Partner Center", connection_to(place, server), "s/.default", conditions=conditions(place))
    with pytest.raises(W365Error) as caught:
        tokens.token()
    tokens.close()
    assert SECRET not in f"{caught.value} {caught.value.detail} {caught.value!r} {tokens!r}"
    return caught.value, server


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (7000215, "The client secret for Partner Center is wrong (AADSTS7000215)."),
        (7000222, "The client secret for Partner Center has expired (AADSTS7000222)."),
        (
            65001,
            "The application may not use Partner Center: a permission or the consent to it is missing (AADSTS65001).",
        ),
        (700016, "The tenant does not know the application that shall reach Partner Center (AADSTS700016)."),
        (90002, "The tenant of Partner Center does not exist or has no directory (AADSTS90002)."),
        (700024, "The sign-in for Partner Center carries a wrong time (AADSTS700024)."),
        (99999, "The sign-in for Partner Center was refused: “AADSTS99999: Words {x} …” (AADSTS99999)."),
    ],
)
def test_a_refusal_of_the_sign_in_names_the_thing_to_mend(place: Bench, code: int, said: str) -> None:
    error, _ = fail(place, refusing(aadsts(code, "Words {x}")))
    assert isinstance(error, SignInRefused)
    assert error.what == said.replace("{x}", "(x)")
    assert error.detail == "trace_id t-1, correlation_id c-2"


def test_a_refused_secret_is_sent_once_however_many_threads_ask(place: Bench) -> None:
    server = place.serve(refusing(aadsts(7000215, "Wrong.")))
    tokens = AppTokens("Partner Center", connection_to(place, server), "s/.default", conditions=conditions(place))
    refused = []

    def ask() -> None:
        try:
            tokens.token()
        except SignInRefused as error:
            refused.append(error)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tokens.close()
    assert len(refused) == 8
    assert server.paths().count(TOKEN_PATH) == 1


def test_a_tenant_unknown_at_discovery_is_named(place: Bench) -> None:
    answer = Answer({"error": "invalid_tenant", "error_description": "AADSTS90002: Tenant not found."}, 400)
    error, _ = fail(place, refusing(answer, at="/openid-configuration"))
    assert isinstance(error, SignInRefused)
    assert error.what == "The tenant of Partner Center does not exist or has no directory (AADSTS90002)."


def test_a_wrong_clock_is_named_with_its_error(place: Bench) -> None:
    answer = aadsts(700024, "Not within its valid time range.")
    answer.headers["Date"] = formatdate(place.clock.wall() - 7300, usegmt=True)
    error, _ = fail(place, refusing(answer))
    assert error.do == "The clock of this machine is 3 hours ahead of the other side's. Correct it."


def test_a_dead_sign_in_service_is_named(place: Bench) -> None:
    error, _ = fail(place, in_turn(reset))
    assert isinstance(error, SourceUnreachable)
    assert error.what == (
        "The sign-in service at localhost cannot be reached: the connection to localhost was lost (tried 4 times)."
    )


def test_a_sign_in_service_in_trouble_is_tried_again_and_then_named(place: Bench) -> None:
    error, server = fail(place, refusing(Answer(b"<html>", 503)))
    assert isinstance(error, SourceUnreachable)
    assert error.what == "The sign-in service at localhost answered 4 times with a server error (503)."
    assert server.paths().count(TOKEN_PATH) == 4


def test_a_web_page_instead_of_the_sign_in_is_named(place: Bench) -> None:
    error, _ = fail(place, in_turn(Answer(b"<html>Welcome to the hotel")))
    assert isinstance(error, SourceChanged)
    assert error.what == "The sign-in service at localhost answered with a web page instead of data."


def test_the_secret_goes_to_the_authority_only(place: Bench) -> None:
    thief = place.serve(in_turn(Answer({"access_token": "x"})))
    document = {"authorization_endpoint": f"{thief.url}/a", "token_endpoint": f"{thief.url}/t"}
    error, _ = fail(place, refusing(Answer(document), at="/openid-configuration"))
    assert isinstance(error, SourceChanged)
    assert f"names another place (localhost:{thief.port}) for the secret, which was not sent there" in error.what
    assert thief.requests == []


def test_a_token_is_used_until_shortly_before_its_end(place: Bench) -> None:
    server = place.serve(sign_in(in_turn(Answer(b"", 404))))
    tokens = AppTokens("Partner Center", connection_to(place, server), "s/.default", conditions=conditions(place))
    for _ in range(3):
        assert tokens.token() == "token-1"
    place.clock.sleep(3000)
    tokens.token()
    assert server.paths().count(TOKEN_PATH) == 1
    place.clock.sleep(400)
    tokens.token()
    assert server.paths().count(TOKEN_PATH) == 2
    tokens.close()


def test_the_environment_cannot_swap_the_certificate_authority(place: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/dev/null")
    monkeypatch.setenv("CURL_CA_BUNDLE", "/dev/null")
    server = place.serve(sign_in(in_turn(Answer(b"", 404))))
    tokens = AppTokens("Partner Center", connection_to(place, server), "s/.default", conditions=conditions(place))
    assert tokens.token() == "token-1"
    tokens.close()
