"""Signing in where the token endpoint takes JSON: what is sent, kept, asked again, and said."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing

import pytest
from fault_server import Answer, Bench, FaultServer, Request, Script, in_turn
from http_bench import SECRET, conditions, connection_to

from w365.errors import SignInRefused, SourceChanged, SourceUnreachable, W365Error
from w365.http.sign_in.json_tokens import JsonTokens, TokenEndpoint

ENDPOINT = TokenEndpoint("/v1/token", audience="https://api.service.example", setting="W365_SERVICE_URL")


def tokens_of(place: Bench, server: FaultServer) -> closing[JsonTokens]:
    return closing(JsonTokens("The service", connection_to(place, server), ENDPOINT, conditions=conditions(place)))


def counted() -> tuple[Script, Callable[[], int]]:
    count = [0]

    def script(_: Request) -> Answer:
        count[0] += 1
        return Answer({"access_token": f"token-{count[0]}", "expires_in": 86400})

    return script, lambda: count[0]


def fail(place: Bench, script: Script) -> W365Error:
    with tokens_of(place, place.serve(script)) as tokens, pytest.raises(W365Error) as caught:
        tokens.token()
    assert SECRET not in repr(vars(caught.value))
    return caught.value


def test_many_threads_ask_once_and_a_token_is_kept_until_shortly_before_its_end(place: Bench) -> None:
    script, asked = counted()
    with tokens_of(place, place.serve(script)) as tokens:
        threads = [threading.Thread(target=tokens.token) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (tokens.token(), asked()) == ("token-1", 1)
        place.clock.sleep(86400 - 301)
        assert tokens.token() == "token-1"
        place.clock.sleep(1)
        assert tokens.token() == "token-2"
        assert tokens.renew("token-1") == "token-2"
        assert tokens.renew("token-2") == "token-3"


def test_a_refusal_is_final(place: Bench) -> None:
    server = place.serve(lambda _: Answer({"message": "No such client."}, 400))
    with tokens_of(place, server) as tokens:
        for _ in range(2):
            with pytest.raises(SignInRefused, match=r"client secret \(400: “No such client\.”\)"):
                tokens.token()
    assert len(server.requests) == 1


def test_a_refusal_that_carries_a_token_is_a_refusal(place: Bench) -> None:
    assert isinstance(fail(place, lambda _: Answer({"access_token": "token"}, 401)), SignInRefused)


@pytest.mark.parametrize(
    ("answer", "how"),
    [
        (Answer({}, 404), "has no token endpoint there (404)"),
        (Answer({}, 302, {"Location": "https://evil.example/token"}), "has no token endpoint there (302)"),
        (Answer(b"<html>hello</html>"), "answered with a web page instead of data"),
        (Answer({"token": "x"}), "answered without a token"),
        (Answer([]), "answered without a token"),
    ],
)
def test_something_else_in_its_place_names_the_setting(place: Bench, answer: Answer, how: str) -> None:
    error = fail(place, lambda _: answer)
    assert isinstance(error, SourceChanged)
    assert error.what == f"The sign-in service at localhost {how}."
    assert error.do == "Check W365_SERVICE_URL; a proxy may answer in its place."


def test_an_ill_endpoint_is_asked_again_and_in_the_end_named(place: Bench) -> None:
    script = in_turn(Answer(b"", 503), Answer({}, 429, {"Retry-After": "7"}), Answer({"access_token": "t"}))
    with tokens_of(place, place.serve(script)) as tokens:
        assert tokens.token() == "t"
    assert sum(place.clock.slept) >= 7
    assert isinstance(fail(place, lambda _: Answer(b"", 500)), SourceUnreachable)
