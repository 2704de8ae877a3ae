"""The doors on real connections: who the peer is, what a proxy may say, and how a refusal looks."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from w365.api.browsers import COOKIE, name_browser
from w365.api.doors import Doors
from w365.entrance import read_entrance

KEY = "the key of these tests"


def _tell_who(request: Request) -> JSONResponse:
    client = request.client.host if request.client else ""
    return JSONResponse({"client": client, "user": request.headers.getlist("x-forwarded-user")})


async def _accept(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_json(websocket.headers.getlist("x-forwarded-user"))
    await websocket.close()


@contextmanager
def serving(**settings: str) -> Iterator[str]:
    """Serve two routes behind the doors with uvicorn as Streamlit starts it; give the address."""
    doors = Middleware(Doors, lambda: read_entrance(lambda name: settings.get(name, "")), lambda: [KEY])
    places = [Route("/", _tell_who), WebSocketRoute("/_stcore/stream", _accept)]
    app = Starlette(routes=places, middleware=[doors])
    config = uvicorn.Config(app, log_level="warning", lifespan="off", ws="websockets-sansio")
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    try:
        yield f"127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def ask(address: str, headers: Sequence[tuple[str, str]] = (), path: str = "/") -> httpx.Response:
    return httpx.get(f"http://{address}{path}", headers=list(headers), trust_env=False, verify=False)


def open_stream(address: str, headers: Mapping[str, str], origin: str | None = None) -> Any:
    """Give what the websocket says, or the status that it is refused with."""
    try:
        with connect(
            f"ws://{address}/_stcore/stream",
            origin=origin,  # type: ignore[arg-type]
            additional_headers=headers,
            proxy=None,
        ) as opened:
            return json.loads(opened.recv(timeout=10))
    except InvalidStatus as error:
        return error.response.status_code


@pytest.mark.parametrize("forged", ["10.9.9.9", "127.0.0.1", "10.0.0.7", "10.0.0.7:4711"])
def test_who_is_no_trusted_proxy_cannot_say_to_be_one(forged: str) -> None:
    """Uvicorn takes the client's address from X-Forwarded-For where 127.0.0.1 sends it; the doors ask the socket."""
    headers = {"X-Forwarded-For": forged, "X-Forwarded-User": "ada"}
    with serving(W365_SIGN_IN="proxy", W365_TRUSTED_PROXIES="10.0.0.7, 10.9.0.0/16") as address:
        assert ask(address, [*headers.items()]).status_code == 403
        assert open_stream(address, headers, f"http://{address}") == 403


@pytest.mark.parametrize("forged", ["10.9.9.9", "127.0.0.1", "10.0.0.7:4711", "nonsense"])
def test_a_trusted_proxy_may_say_whom_it_forwards_for(forged: str) -> None:
    headers = {"X-Forwarded-For": forged, "X-Forwarded-User": "ada"}
    with serving(W365_SIGN_IN="proxy", W365_TRUSTED_PROXIES="127.0.0.0/8") as address:
        answer = ask(address, [*headers.items()]).json()
        assert answer == {"client": forged.partition(":")[0], "user": ["ada"]}
        assert open_stream(address, headers, f"http://{address}") == ["ada"]


def test_a_person_is_named_once() -> None:
    with serving(W365_SIGN_IN="proxy", W365_TRUSTED_PROXIES="127.0.0.1") as address:
        twice = ask(address, [("X-Forwarded-User", "ada"), ("x-forwarded-user", "mallory")])
        assert (twice.status_code, "twice" in twice.text) == (400, True)


def test_without_a_proxy_nobody_is_named_by_a_header() -> None:
    with serving() as address:
        assert ask(address, [("X-Forwarded-User", "mallory")]).json()["user"] == []
        assert open_stream(address, {"X-Forwarded-User": "mallory"}, f"http://{address}") == []


def test_a_websocket_without_an_origin_needs_the_apps_cookie() -> None:
    with serving() as address:
        for cookie in ("guessed", name_browser(["another key"]), f"{name_browser([KEY])}x"):
            assert open_stream(address, {"Cookie": f"{COOKIE}={cookie}"}) == 403
        assert open_stream(address, {}) == 403
        assert open_stream(address, {"Cookie": f"a=b; {COOKIE}={name_browser([KEY])}"}) == []


def test_a_foreign_tls_header_changes_no_origin() -> None:
    with serving() as address:
        headers = [("X-Forwarded-Proto", "https"), ("Origin", f"https://{address}")]
        assert ask(address, headers).status_code == 403


def test_a_refusal_says_what_to_do_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    with serving() as address, caplog.at_level(logging.WARNING, "w365.api.doors"):
        for _ in range(3):
            answer = ask(address, [("Host", "evil.test" * 200)], "/api/downloads/the-name-of-a-link")
            assert (answer.status_code, "W365_PUBLIC_URL" in answer.text) == (421, True)
            assert "evil" not in answer.text
            assert open_stream(address, {}) == 403
    assert [record.args[0] for record in caplog.records if record.args] == ["host", "no origin"]  # type: ignore[index]
    assert all(len(record.getMessage()) < 800 for record in caplog.records)
    assert "the-name" not in caplog.text
