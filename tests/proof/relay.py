"""A relay on loopback that hands requests on and keeps what a validating proxy said about each.

Our clients speak https only and the proxy speaks http only; with a certificate, the relay stands between them.
"""

from __future__ import annotations

import http.client
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import trustme

_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host"})


@dataclass(frozen=True)
class Exchange:
    """One request with its answer's status and the violations that Prism found in either."""

    method: str
    target: str
    status: int
    violations: tuple[str, ...]

    @property
    def is_described(self) -> bool:
        """Whether the specification knows the path; what it does not know is handed on unchecked."""
        return not any("Selected route not found" in each for each in self.violations)


@dataclass
class Relay:
    url: str
    exchanges: list[Exchange]

    def described(self) -> list[Exchange]:
        return [each for each in self.exchanges if each.is_described]

    def undescribed(self) -> list[Exchange]:
        return [each for each in self.exchanges if not each.is_described]


@contextmanager
def relay(upstream: str, *, trusted: Path | None = None, authority: trustme.CA | None = None) -> Iterator[Relay]:
    """Relay to ``upstream``, over TLS for clients that trust ``authority``, or plain without one."""
    exchanges: list[Exchange] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(upstream, trusted, exchanges))
    server.daemon_threads = True
    server.block_on_close = False
    scheme = "http"
    if authority is not None:
        scheme, context = "https", ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield Relay(f"{scheme}://127.0.0.1:{server.server_address[1]}", exchanges)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(upstream: str, trusted: Path | None, exchanges: list[Exchange]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"  # one request a connection: nothing to keep open, nothing to close late

        def _hand_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            sent = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
            status, headers, content = _ask(upstream, trusted, self.command, self.path, sent, body)
            told = next((value for name, value in headers if name.lower() == "sl-violations"), None)
            exchanges.append(Exchange(self.command, self.path, status, _read_violations(told)))
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in _HOP_BY_HOP | {"sl-violations"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_HEAD = do_POST = _hand_on  # noqa: N815 - http.server looks for these names

        def log_message(self, *_: Any) -> None: ...

    return Handler


def _ask(
    upstream: str, trusted: Path | None, method: str, target: str, headers: dict[str, str], body: bytes
) -> tuple[int, list[tuple[str, str]], bytes]:
    parts = urlsplit(upstream)
    assert parts.hostname
    connection = (
        http.client.HTTPSConnection(
            parts.hostname, parts.port, context=ssl.create_default_context(cafile=str(trusted)), timeout=20
        )
        if parts.scheme == "https"
        else http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    )
    try:
        connection.request(method, target, body or None, headers)
        answer = connection.getresponse()
        # The proxy between two relays reads JSON that begins with a byte order mark no more than most programs do.
        return answer.status, answer.getheaders(), answer.read().removeprefix(b"\xef\xbb\xbf")
    finally:
        connection.close()


def _read_violations(told: str | None) -> tuple[str, ...]:
    if told is None:
        return ()
    try:
        return tuple(map(_say, json.loads(told)))
    except ValueError:  # Prism leaves out a list that is too long for a header
        return ("Error: more violations than a header holds",)


def _say(violation: dict[str, Any]) -> str:
    place = ".".join(map(str, violation.get("location", ())))
    return f"{violation.get('severity')} {place}: {violation.get('message')}"
