"""Every browser gets a name with the page, once, that no script and no other site can use."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.types import Message, Receive, Scope, Send

from w365.api.browsers import COOKIE, name_browser
from w365.ui.frame.browser_cookie import BrowserCookie

KEYS = ("new key", "old key")
OURS, OLD = name_browser(KEYS), name_browser(KEYS[1:])
PAGE = (b"accept", b"text/html,application/xhtml+xml")


def cookies_set(*headers: tuple[bytes, bytes], scheme: str = "http") -> list[str]:
    """Ask through the middleware for something whose answer is "not modified"."""

    async def answer(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 304, "headers": []})

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "path": "/", "scheme": scheme, "headers": list(headers)}
    with ThreadPoolExecutor(1) as pool:  # the browser tests leave an event loop running in this thread
        pool.submit(asyncio.run, BrowserCookie(answer, lambda: KEYS)(scope, receive, send)).result()
    return [value.decode() for name, value in sent[0]["headers"] if name == b"set-cookie"]


def test_a_page_names_the_browser_for_this_site_and_no_script() -> None:
    (first,), (second,) = cookies_set(PAGE), cookies_set(PAGE)
    assert first.startswith(f"{COOKIE}=")
    assert len(first.split(";")[0]) > 30
    assert first != second
    assert first.split("; ")[1:] == ["Path=/", "HttpOnly", "SameSite=Strict"]
    assert cookies_set(PAGE, scheme="https")[0].endswith("; Secure")


@pytest.mark.parametrize(
    "headers",
    [
        [(b"accept", b"*/*")],
        [],
        [PAGE, (b"cookie", f"a=b; {COOKIE}={OURS}".encode())],
        [PAGE, (b"cookie", b"a=b"), (b"cookie", f"{COOKIE}={OLD}".encode())],
    ],
)
def test_what_is_no_page_or_has_a_name_sets_none(headers: list[tuple[bytes, bytes]]) -> None:
    assert cookies_set(*headers) == []


def test_a_name_that_the_app_did_not_give_is_replaced() -> None:
    for name in ("mine", "", name_browser(["another key"]), f"{OURS}x", OURS.partition(".")[0], "é"):
        (given,) = cookies_set(PAGE, (b"cookie", f"{COOKIE}={name}".encode()))
        assert given.startswith(f"{COOKIE}=")
