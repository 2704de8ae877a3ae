"""The doors of the app: who comes by a foreign address, from a foreign page or past the proxy stays outside.

A page of another site can let its own name lead to this machine (DNS rebinding), and a page of another port of this
machine is one of "this site" to a browser's cookies. So Host and Origin must be this app's own, exactly: the address
and port that the connection really came in at, or W365_PUBLIC_URL. One decision for pages, routes, files and websocket.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from w365.api.browsers import read_browser
from w365.api.door_rules import NAMELESS, Refusal, address_of, find_refusal
from w365.api.half_open import hurry
from w365.api.refusal_log import RefusalLog
from w365.api.visits import Visit, read_visit
from w365.caller import HEADER, note_caller
from w365.entrance import Entrance, SignInMode, is_loopback
from w365.errors import ConfigurationError


def why_not_open(entrance: Entrance, address: str | None) -> str:
    """Say why the app must not serve at an address (None: not known before it listens), or nothing."""
    if entrance.sign_in is not SignInMode.LOCAL:
        return ""
    if entrance.public_url and not is_loopback(urlsplit(entrance.public_url).hostname or ""):
        return f"W365_PUBLIC_URL is an address that others reach, {_NO_SIGN_IN} Unset it{_OR_SIGN_IN}"
    if address is not None and not _is_here(address):
        shown = address or "every address of this machine"
        return f"The app would listen on {shown}, where others reach it, {_NO_SIGN_IN} {_SET_ADDRESS}{_OR_SIGN_IN}"
    return ""


_NO_SIGN_IN = "and there is no sign-in: each of them would be an admin. Nothing was started."
_SET_ADDRESS = "Set server.address (with uvicorn --host) to 127.0.0.1"
_OR_SIGN_IN = ", or choose a sign-in with W365_SIGN_IN."


def _is_here(address: str) -> bool:
    """Tell whether an address or a name, all it leads to, is this machine's own and nobody else reaches it."""
    if is_loopback(address):
        return True
    try:
        return bool(address) and all(is_loopback(str(info[4][0])) for info in socket.getaddrinfo(address, None))
    except (OSError, UnicodeError):  # the second for what is too long for a name
        return False


_ADDRESS = HEADER.encode("ascii")


class Doors:
    """The outermost of the app. ``read_entrance`` is asked once, when the server starts; ``read_keys`` sign cookies.

    Where the app must not be open it does not start: the server ends with the sentence and a status that is not 0.
    Under a server that says nothing of its address before it listens, each request that must not be is refused instead.
    """

    def __init__(
        self, app: ASGIApp, read_entrance: Callable[[], Entrance], read_keys: Callable[[], Sequence[str]]
    ) -> None:
        self._app = app
        self._read_entrance, self._read_keys = read_entrance, read_keys
        self._entrance: Entrance | None = None
        self._refusals = RefusalLog()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._open(scope, receive, send)
            return
        visit = read_visit(scope, receive)
        if refusal := self._find_refusal(visit, scope):
            self._refusals.note(refusal.kind, visit)
            await _refuse(refusal, scope, receive, send)
        else:
            with suppress(ClientDisconnect):  # who went away in the middle of a request hears no answer
                await self._app(self._with_address(visit, self._without_names(scope)), receive, send)

    async def _open(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            sentence = why_not_open(self.entrance, _listening_address(receive))
        except ConfigurationError as error:
            sentence = str(error)
        if not sentence:
            if (config := _server_of(receive)) is not None:
                hurry(config)
            await self._app(scope, receive, send)
            return
        await receive()
        await send({"type": "lifespan.startup.failed", "message": sentence})

    @property
    def entrance(self) -> Entrance:
        self._entrance = self._entrance or self._read_entrance()
        return self._entrance

    def _find_refusal(self, visit: Visit, scope: Scope) -> Refusal | None:
        refusal = find_refusal(visit, self.entrance)
        is_nameless = visit.is_websocket and not visit.values("origin")
        if refusal is None and is_nameless and not read_browser(self._read_keys(), scope["headers"]):
            return NAMELESS
        return refusal

    def _with_address(self, visit: Visit, scope: Scope) -> Scope:
        """Say from where somebody calls, in the place of whatever the browser says of itself by this name."""
        address = address_of(visit, self.entrance)
        note_caller(address)
        headers = [pair for pair in scope["headers"] if pair[0].lower() != _ADDRESS]
        return {**scope, "headers": [*headers, (_ADDRESS, address.encode("ascii"))]}

    def _without_names(self, scope: Scope) -> Scope:
        """Where no proxy says who somebody is, nobody does: what claims to is taken out."""
        if self.entrance.sign_in is SignInMode.PROXY:
            return scope
        names = {name.encode("ascii") for name in self.entrance.identity_headers}
        return {**scope, "headers": [pair for pair in scope["headers"] if pair[0].lower() not in names]}


def _server_of(receive: Receive) -> Any:
    """Uvicorn's configuration, which belongs to what `receive` belongs to when it starts; None for another server."""
    return getattr(getattr(receive, "__self__", None), "config", None)


def _listening_address(receive: Receive) -> str | None:
    """Where uvicorn is told to listen."""
    config = _server_of(receive)
    if config is None or config.fd is not None:
        return None
    return f"the socket {config.uds}" if config.uds else str(config.host)


async def _refuse(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the sentence; a websocket is closed before it is accepted, which its client sees as a 403."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    await PlainTextResponse(refusal.sentence, refusal.status, headers)(scope, receive, send)
