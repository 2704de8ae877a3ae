"""Faults on demand: what a real service does on a bad day, made to happen when a test or a person asks."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from w365.demo.wire import Receive, Reply, Request, Scope, Send, Service, read_request, send_reply, send_start

Application = Callable[[Scope, Receive, Send], Awaitable[None]]
KEPT_REQUESTS = 5_000


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong, for the requests it fits. Append it to ``Servers.faults``; order decides.

    Which requests:

    - ``service``: ``authority``, ``partner_center``, ``dataverse``, ``pax8``, ``graph`` or ``*`` for all.
    - ``path_contains``: part of the decoded path and query; empty fits all. ``method``: empty fits all.
    - ``skip``: how many fitting requests pass unharmed first. ``times``: how many are then hit; 0 is every one.

    What happens to them (combine freely; nothing set lets the request pass and only counts it):

    - ``status``, ``headers``, ``body``: answer with this instead of asking the service. ``body`` is bytes, text, or
      anything JSON can hold; the content type follows from it unless ``headers`` says otherwise. 0 asks the service.
      A redirect is ``status=302, headers={"location": ...}``.
    - ``edit``: a function from the true body to the body sent (schema drift, one bad record, NaN ...).
    - ``delay``: seconds before anything is sent. ``drip``: seconds between single bytes of the body.
    - ``truncate``: announce the whole length, send half of the body, close the connection.
    - ``lose``: let the service do its work, then reset the connection in the place of its answer.
    - ``reset``: send nothing and reset the connection. ``hang``: send nothing until the client leaves.

    ``hits`` counts how often it struck.
    """

    service: str = "*"
    path_contains: str = ""
    method: str = ""
    skip: int = 0
    times: int = 1
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = b""
    edit: Callable[[bytes], bytes] | None = None
    delay: float = 0.0
    drip: float = 0.0
    truncate: bool = False
    lose: bool = False
    reset: bool = False
    hang: bool = False
    hits: int = 0

    def strikes(self, service: str, method: str, target: str) -> bool:
        """Tell whether this request is hit, and count it."""
        if self.service not in ("*", service) or self.method not in ("", method) or self.path_contains not in target:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times and self.hits >= self.times:
            return False
        self.hits += 1
        return True


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """One request as it arrived, without headers and body (they hold secrets); path and query are decoded."""

    service: str
    method: str
    target: str


class Faults(list[Fault]):
    """The faults in waiting, and the last requests that were seen."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: deque[SeenRequest] = deque(maxlen=KEPT_REQUESTS)

    def find_striking(self, service: str, method: str, target: str) -> Fault | None:
        self.seen.append(SeenRequest(service, method, target))
        return next((fault for fault in list(self) if fault.strikes(service, method, target)), None)


def make_application(name: str, service: Service, faults: Faults) -> Application:
    """Make the ASGI application of one service, with the faults in front of it."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        request = await read_request(scope, receive)
        target = f"{request.path}?{unquote(request.query)}" if request.query else request.path
        fault = faults.find_striking(name, request.method, target)
        if fault is None:
            await send_reply(send, service(request))
        else:
            await _apply_fault(fault, request, service, receive, send)

    return serve


async def _apply_fault(fault: Fault, request: Request, service: Service, receive: Receive, send: Send) -> None:
    if fault.delay:
        await asyncio.sleep(fault.delay)
    if fault.lose:
        service(request)
    if fault.reset or fault.lose:
        _reset_connection(send)
        return
    if fault.hang:
        while (await receive())["type"] != "http.disconnect":
            pass
        return
    reply = _make_reply(fault) if fault.status else service(request)
    if fault.edit is not None:
        reply = Reply(reply.status, fault.edit(reply.body), reply.headers)
    if fault.truncate or fault.drip:
        await _send_badly(fault, reply, send)
    else:
        await send_reply(send, reply)


def _make_reply(fault: Fault) -> Reply:
    if isinstance(fault.body, bytes):
        body, kind = fault.body, "application/octet-stream"
    elif isinstance(fault.body, str):
        body, kind = fault.body.encode(), "text/html; charset=utf-8"
    else:
        body, kind = json.dumps(fault.body).encode(), "application/json; charset=utf-8"
    headers = {name.lower(): value for name, value in fault.headers.items()}
    if body:
        headers.setdefault("content-type", kind)
    return Reply(fault.status, body, tuple(headers.items()))


async def _send_badly(fault: Fault, reply: Reply, send: Send) -> None:
    """Send the body byte by byte, or only half of it; an unfinished answer makes the server close the connection."""
    body = reply.body or b"{}"
    await send_start(send, reply, len(body))
    end = len(body) // 2 if fault.truncate else len(body)
    step = 1 if fault.drip else max(end, 1)
    for position in range(0, end, step):
        part = body[position : min(position + step, end)]
        await send({"type": "http.response.body", "body": part, "more_body": True})
        await asyncio.sleep(fault.drip)
    if not fault.truncate:
        await send({"type": "http.response.body", "body": b""})


def _reset_connection(send: Send) -> None:
    # ASGI has no word for this: the server's own send method knows its transport. Linger 0 makes the close a reset.
    transport = getattr(send, "__self__").transport  # noqa: B009 - a callable has no such attribute for the type checker
    raw = transport.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
