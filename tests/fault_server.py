"""A scriptable server on a real TLS socket, for every way in which the other side can misbehave.

A script is a function from a request to a reply: an Answer, raw bytes, or a function that is handed the socket.
"""

from __future__ import annotations

import functools
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import trustme


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return unquote(urlsplit(self.target).path)


@dataclass
class Answer:
    """A well-formed reply. A dict or list as body is sent as JSON."""

    body: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        content = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        headers = {"Date": formatdate(usegmt=True), "Content-Length": str(len(content)), **self.headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"HTTP/1.1 {self.status} Reason\r\n{head}\r\n".encode() + content


Trick = Callable[[ssl.SSLSocket], None]
Script = Callable[[Request], Answer | bytes | Trick]


@functools.cache
def _context(authority: trustme.CA) -> ssl.SSLContext:
    """One certificate for all servers of an authority: making one takes longer than most tests."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context


class FaultServer:
    """Serves ``script`` until closed and remembers every request."""

    def __init__(self, authority: trustme.CA, script: Script) -> None:
        self.script = script
        self.requests: list[Request] = []
        self._context = _context(authority)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"https://localhost:{self.port}"
        self._closing = False
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()
        self._acceptor = threading.Thread(target=self._accept)
        self._acceptor.start()

    def paths(self) -> list[str]:
        return [request.path for request in self.requests]

    def close(self) -> None:
        if self._closing:
            return
        self._closing = True
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._open):
            with_suppressed(lambda c=connection: c.shutdown(socket.SHUT_RDWR))
        for thread in (self._acceptor, *self._threads):
            thread.join(5)

    def _accept(self) -> None:
        while not self._closing:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(plain,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, plain: socket.socket) -> None:
        try:
            plain.settimeout(10)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else 40 ms a connection
            connection = self._context.wrap_socket(plain, server_side=True)
        except OSError:
            plain.close()
            return
        self._open.add(connection)
        try:
            while not self._closing and (request := _read_request(connection)):
                self.requests.append(request)
                reply = self.script(request)
                if callable(reply):
                    reply(connection)
                    return
                connection.sendall(reply.to_bytes() if isinstance(reply, Answer) else reply)
                if isinstance(reply, bytes):
                    return
        except OSError:
            return
        finally:
            self._open.discard(connection)
            connection.close()


def with_suppressed(action: Callable[[], None]) -> None:
    try:
        action()
    except OSError:
        return


def _read_request(connection: ssl.SSLSocket) -> Request | None:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (piece := connection.recv(65536)):
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65536)
    method, target, _ = first.split(" ", 2)
    return Request(method, target, headers, body)


def reset(connection: ssl.SSLSocket) -> None:
    """End with a TCP reset instead of an answer."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def silence(seconds: float) -> Trick:
    """Answer nothing for a while."""
    return lambda _: time.sleep(seconds)


def drip(content: bytes, pause: float) -> Trick:
    """Send ``content`` one byte at a time."""

    def trick(connection: ssl.SSLSocket) -> None:
        for byte in content:
            connection.sendall(bytes([byte]))
            time.sleep(pause)

    return trick


def in_turn(*replies: Answer | bytes | Trick) -> Script:
    """Give ``replies`` one after another, the last one for ever."""
    left = list(replies)
    lock = threading.Lock()

    def script(_: Request) -> Answer | bytes | Trick:
        with lock:
            return left.pop(0) if len(left) > 1 else left[0]

    return script


def sign_in(service: Script, token: Callable[[], str] = lambda: "token-1") -> Script:
    """Put a token endpoint that always agrees before ``service``."""

    def script(request: Request) -> Answer | bytes | Trick:
        host = request.headers["host"]
        if request.path.endswith("/openid-configuration"):
            place = f"https://{host}/tenant/oauth2/v2.0"
            return Answer({"authorization_endpoint": f"{place}/authorize", "token_endpoint": f"{place}/token"})
        if request.path.endswith("/oauth2/v2.0/token"):
            return Answer({"token_type": "Bearer", "expires_in": 3599, "access_token": token()})
        return service(request)

    return script


class FakeClock:
    """Time that passes only by sleeping; safe to share among threads."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._start = time.time()
        self._lock = threading.Lock()
        self._now = 1000.0

    def monotonic(self) -> float:
        return self._now

    def wall(self) -> float:
        return self._start + self._now - 1000.0

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._now += seconds
            self.slept.append(seconds)


@dataclass
class Bench:
    """A certificate authority, a fake clock, and servers that are closed in the end."""

    authority: trustme.CA
    ca_bundle: str
    clock: FakeClock
    _servers: list[FaultServer] = field(default_factory=list)

    def serve(self, script: Script) -> FaultServer:
        self._servers.append(server := FaultServer(self.authority, script))
        return server

    def close(self) -> None:
        for server in self._servers:
            server.close()


@contextmanager
def bench(folder: Path, authority: trustme.CA) -> Iterator[Bench]:
    bundle = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    made = Bench(authority, str(bundle), FakeClock())
    try:
        yield made
    finally:
        made.close()
