"""One request and one reply, the same for all services, and their ASGI form.

The services are plain functions from request to reply: quick, and easy to follow without a framework.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

BOM = b"\xef\xbb\xbf"
LARGEST_BODY = 1_000_000


@dataclass(frozen=True, slots=True)
class Request:
    """``path`` is decoded, ``query`` is not; header names are lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def parameters(self) -> dict[str, str]:
        # A "+" in an OData literal means itself in some clients and a blank in others; a blank is the standard.
        return dict(parse_qsl(self.query, keep_blank_values=True))

    def header(self, name: str) -> str:
        return self.headers.get(name, "")

    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer; Content-Length is added when it is sent."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()

    def with_headers(self, *headers: tuple[str, str]) -> Reply:
        return Reply(self.status, self.body, (*self.headers, *headers))


Service = Callable[[Request], Reply]


def json_reply(status: int, content: object, *headers: tuple[str, str], bom: bool = False) -> Reply:
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Reply(status, BOM + body if bom else body, (("content-type", "application/json; charset=utf-8"), *headers))


def new_guid() -> str:
    return str(uuid.uuid4())


def is_guid(text: str) -> bool:
    """Tell whether the text is a GUID in the usual 36 characters."""
    try:
        return len(text) == 36 and str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


async def read_request(scope: Scope, receive: Receive) -> Request:
    body = b""
    if scope["method"] not in ("GET", "HEAD"):
        body = await _read_body(receive)
    return Request(
        method=scope["method"],
        path=unquote(scope["raw_path"].decode("ascii", "replace")),
        query=scope["query_string"].decode("ascii", "replace"),
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        body=body,
    )


async def _read_body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size <= LARGEST_BODY:
            parts.append(part)
        if message["type"] != "http.request" or not message.get("more_body"):
            return b"".join(parts)


async def send_start(send: Send, reply: Reply, length: int) -> None:
    """Send status and headers; a 204 carries no Content-Length."""
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers]
    if reply.status != 204:
        headers.append((b"content-length", str(length).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})


async def send_reply(send: Send, reply: Reply) -> None:
    await send_start(send, reply, len(reply.body))
    await send({"type": "http.response.body", "body": reply.body})
