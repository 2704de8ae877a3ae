"""Connections that nothing moves on are closed: a request that does not come to its end, an answer that nobody reads.

Uvicorn itself waits for both as long as the other side keeps the connection. Websockets it asks for a sign of life.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds.

    For the `head` of a request, since the connection began or the answer before ended; for the next `part` of its
    `body` and for the whole of it; for a `reader` to take the next part of an answer. `look` is from look to look.
    """

    head: float = 20.0
    part: float = 20.0
    body: float = 600.0
    reader: float = 60.0
    look: float = 2.0


def hurry(config: Any, patience: Patience | None = None) -> None:
    """Let a server close such connections; ``config`` is uvicorn's, before it listens."""
    own = {"patience": patience or Patience()}
    config.http_protocol_class = type("Hurried", (_Looking, config.http_protocol_class), own)


class _Looking(asyncio.Protocol):
    """Goes before one of uvicorn's two classes for a connection, and looks now and then what has moved on it."""

    patience: Patience
    transport: asyncio.Transport
    loop: asyncio.AbstractEventLoop
    cycle: Any
    """The request in hand, or the latest; None before the first."""
    flow: Any

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._moved = self._waiting = self._heard = self.loop.time()
        self._unread = 0
        self._next_look = self.loop.call_later(self.patience.look, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        self._next_look.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._heard = self.loop.time()
        super().data_received(data)

    def on_response_complete(self) -> None:
        self._waiting = self.loop.time()
        super().on_response_complete()  # type: ignore[misc] # both have it

    def _look(self) -> None:
        if self.transport.get_protocol() is not self:
            return  # it has become a websocket
        if self._is_overdue(self.loop.time()):
            self.transport.abort()
        else:
            self._next_look = self.loop.call_later(self.patience.look, self._look)

    def _is_overdue(self, now: float) -> bool:
        unread = self.transport.get_write_buffer_size()
        if unread != self._unread:
            self._unread, self._moved = unread, now
        if unread:
            return now - self._moved > self.patience.reader
        if self.cycle is None or self.cycle.response_complete:
            return now - self._waiting > self.patience.head
        is_silent = now - self._heard > self.patience.part or now - self._waiting > self.patience.body
        return is_silent and self.cycle.more_body is True and not self.flow.read_paused


def hang_up(receive: Receive) -> bool:
    """Close the connection of a request at once, whatever is still to be read; False where it is not known."""
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None:
        return False
    transport.abort()
    return True


def answer_nobody(_request: Request, _error: Exception) -> PlainTextResponse:
    """Answer whoever went away in the middle of a request: it is no error of ours, and nobody hears it."""
    return PlainTextResponse("", 400)
