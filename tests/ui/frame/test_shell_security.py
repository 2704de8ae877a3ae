from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.types import Message, Receive, Scope, Send

from w365.entrance import Entrance
from w365.ui.server.security import SecurityHeaders, headers_for


def test_eval_is_allowed_to_the_frame_of_the_grid_only() -> None:
    assert "unsafe-eval" in headers_for("/component/st_aggrid.agGrid/index.html")["content-security-policy"]
    for path in ("/", "/api/rows", "/components", "/provider_accounts"):
        assert "unsafe-eval" not in headers_for(path)["content-security-policy"]
    frame = "/w365/component/st_aggrid.agGrid/index.html"
    assert "unsafe-eval" in headers_for(frame, "/w365")["content-security-policy"]
    assert "unsafe-eval" not in headers_for(frame)["content-security-policy"]


def test_inline_scripts_are_allowed_by_hash_only() -> None:
    scripts = next(part for part in headers_for("/")["content-security-policy"].split("; ") if "script-src" in part)
    assert "'sha256-" in scripts
    assert "unsafe-inline" not in scripts


def headers_of_a_route(public_url: str) -> tuple[dict[bytes, bytes], int]:
    """The headers of an answer that had one itself, and how many there are."""

    async def route(_scope: Scope, _receive: Receive, send: Send) -> None:
        own = [(b"X-Frame-Options", b"DENY")]
        await send({"type": "http.response.start", "status": 200, "headers": own})

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    with ThreadPoolExecutor(1) as pool:  # the browser tests leave an event loop running in this thread
        headers = SecurityHeaders(route, lambda: Entrance(public_url=public_url), "")
        pool.submit(asyncio.run, headers({"type": "http", "path": "/"}, receive, send)).result()
    return {name.lower(): value for name, value in sent[0]["headers"]}, len(sent[0]["headers"])


def test_headers_are_added_once_and_those_of_a_route_stay() -> None:
    headers, number = headers_of_a_route("")
    assert headers[b"x-frame-options"] == b"DENY"
    assert b"content-security-policy" in headers
    assert len(headers) == number


@pytest.mark.parametrize(
    ("public_url", "is_kept_to_tls"), [("https://w365.example", True), ("http://localhost", False)]
)
def test_where_people_come_by_https_browsers_are_told_to_keep_to_it(public_url: str, *, is_kept_to_tls: bool) -> None:
    headers, _number = headers_of_a_route(public_url)
    assert (b"strict-transport-security" in headers) == is_kept_to_tls
