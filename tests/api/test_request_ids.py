"""Every request has an id, which its answer and its lines in the log have too."""

from __future__ import annotations

import logging

import pytest
from api.asgi import answer_of
from starlette.types import ASGIApp, Receive, Scope, Send

from w365.api.request_ids import HEADER, RequestIds
from w365.log import RedactingFormatter


def id_of(*given: str) -> str:
    answer = answer_of(RequestIds, "/", headers=[(HEADER, each) for each in given])
    return dict(answer.headers)[HEADER]


def test_a_request_without_an_id_is_given_one_of_its_own() -> None:
    first, second = id_of(), id_of()
    assert len(first) == len(second) == 16
    assert first != second


def test_the_proxys_id_is_kept() -> None:
    assert id_of("0f3c9d2e-77aa") == "0f3c9d2e-77aa"


@pytest.mark.parametrize("given", ["short", "x" * 65, "with a space here", "ünsure-1234"])
def test_what_is_no_id_is_not_repeated(given: str) -> None:
    assert id_of(given) != given


def test_what_a_request_logs_has_its_id(caplog: pytest.LogCaptureFixture) -> None:
    caplog.handler.setFormatter(RedactingFormatter([]))

    def logging_app(app: ASGIApp) -> ASGIApp:
        async def logs(scope: Scope, receive: Receive, send: Send) -> None:
            logging.getLogger("here").warning("seen")
            await app(scope, receive, send)

        return RequestIds(logs)

    answer = answer_of(logging_app, "/")
    assert caplog.text.endswith(f"here: seen [request {dict(answer.headers)[HEADER]}]\n")
