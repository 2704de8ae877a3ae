"""A connection that nothing moves on is closed, and one that moves is not."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest
from api.conftest import Server
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from w365.api.doors import Doors
from w365.api.half_open import Patience, hurry
from w365.entrance import Entrance

SHORT = Patience(head=0.2, part=0.2, body=0.8, reader=0.3, look=0.02)
BIG = 64 << 20


class Hurried:
    """An app that reads the body, and hurries those who come, unless the doors do that."""

    def __init__(self, *, is_outermost: bool = True) -> None:
        self.is_outermost = is_outermost

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            if self.is_outermost:
                hurry(receive.__self__.config, SHORT)  # type: ignore[attr-defined] - of uvicorn
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        body = await Request(scope, receive).body()
        answer = Response(bytes(BIG)) if scope["path"] == "/big" else PlainTextResponse(str(len(body)))
        await answer(scope, receive, send)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(Hurried(), lifespan="on") as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as opened:
        yield opened


def is_over(client: socket.socket) -> bool:
    """Wait for what comes; True when that is the end."""
    try:
        return client.recv(100) == b""
    except ConnectionResetError:
        return True


def body_of(client: socket.socket) -> bytes:
    """Read an answer whose body comes in one part."""
    came = b""
    while came.endswith(b"\r\n\r\n") or b"\r\n\r\n" not in came:
        came += client.recv(1000)
    return came.partition(b"\r\n\r\n")[2]


def is_there(client: socket.socket) -> bool:
    """Send the beginning of a next request, which says whether the connection is there."""
    try:
        client.sendall(b"G")
    except (ConnectionResetError, BrokenPipeError):
        return False
    return True


def trickle(client: socket.socket, part: bytes, seconds: float = 10) -> bool:
    """Send a part again and again; True when the other side ended it before the time was over."""
    until = time.monotonic() + seconds
    client.settimeout(0.05)
    while time.monotonic() < until:
        try:
            client.sendall(part)
            if client.recv(100) == b"":
                return True
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


@pytest.mark.parametrize("head", [b"", b"GET / HTTP/1.1\r\nHost: here\r\n"], ids=["nothing", "half a head"])
def test_who_sends_no_whole_head_is_hung_up_on(client: socket.socket, head: bytes) -> None:
    client.sendall(head)
    assert is_over(client)


def test_a_head_that_trickles_is_not_waited_for(client: socket.socket) -> None:
    client.sendall(b"GET / HTTP/1.1\r\n")
    assert trickle(client, b"A: b\r\n")


def test_the_head_of_a_second_request_is_bounded_too(client: socket.socket) -> None:
    client.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
    assert body_of(client) == b"0"
    assert trickle(client, b"G")


BODY = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 1000\r\n\r\n"


def test_a_body_that_does_not_go_on_is_not_waited_for(client: socket.socket) -> None:
    client.sendall(BODY + b"some")
    assert is_over(client)


def test_a_body_that_trickles_has_its_time_and_no_more(client: socket.socket) -> None:
    client.sendall(BODY)
    began = time.monotonic()
    assert trickle(client, b"x")
    assert time.monotonic() - began > SHORT.body - SHORT.look


def test_a_slow_body_that_comes_to_its_end_is_answered(client: socket.socket) -> None:
    client.sendall(BODY)
    for _ in range(4):
        client.sendall(bytes(250))
        time.sleep(SHORT.part / 3)  # slower than one look, and not silent
    assert body_of(client) == b"1000"


def test_an_answer_is_given_up_when_its_reader_stands_still_and_not_before(client: socket.socket) -> None:
    client.sendall(b"GET /big HTTP/1.1\r\nHost: here\r\n\r\n")
    came = 0
    for _ in range(5):
        came += len(client.recv(1 << 20))
        time.sleep(SHORT.reader / 4)  # longer altogether than a reader may stand still
    while is_there(client):
        time.sleep(SHORT.look)
    assert came < BIG


def test_whoever_goes_away_in_the_middle_of_a_body_leaves_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    with Server(Doors(Hurried(is_outermost=False), Entrance, list), lifespan="on") as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
            client.sendall(BODY.replace(b"here", f"127.0.0.1:{server.port}".encode()) + b"some")
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
            client.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
            assert body_of(client) == b"0"
    assert "Traceback" not in caplog.text
