from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from starlette.types import Message, Receive, Scope, Send

from w365.ui.frame.security import SecurityHeaders, headers_for


def test_eval_is_allowed_to_the_frame_of_the_grid_only() -> None:
    assert "unsafe-eval" in headers_for("/component/st_aggrid.agGrid/index.html")["content-security-policy"]
    for path in ("/", "/api/rows", "/components", "/provider_accounts"):
        assert "unsafe-eval" not in headers_for(path)["content-security-policy"]


def test_inline_scripts_are_allowed_by_hash_only() -> None:
    scripts = next(part for part in headers_for("/")["content-security-policy"].split("; ") if "script-src" in part)
    assert "'sha256-" in scripts
    assert "unsafe-inline" not in scripts


def test_headers_are_added_once_and_those_of_a_route_stay() -> None:
    async def route(_scope: Scope, _receive: Receive, send: Send) -> None:
        own = [(b"X-Frame-Options", b"DENY")]
        await send({"type": "http.response.start", "status": 200, "headers": own})

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    with ThreadPoolExecutor(1) as pool:  # the browser tests leave an event loop running in this thread
        pool.submit(asyncio.run, SecurityHeaders(route)({"type": "http", "path": "/"}, receive, send)).result()
    names = [name.lower() for name, _ in sent[0]["headers"]]
    assert names.count(b"x-frame-options") == 1
    assert b"content-security-policy" in names
