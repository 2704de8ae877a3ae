"""How the app's cookies travel: as long as a session lasts, and over TLS under names that no neighbour can set.

Streamlit keeps who signed in for 30 days and marks nothing as secure. A cookie with the prefix `__Host-` can be set by
this very site over TLS alone (RFC 6265bis, 4.1.3), `__Secure-` by a site over TLS alone. The prefix is put on where a
cookie leaves and taken off where it comes back, so that nothing behind this knows of it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from functools import cache, cached_property

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from w365.entrance import Entrance, hosts_of

_OURS = re.compile(r"w365_|_streamlit_user|_streamlit_session")
"""Streamlit's other cookie, against forged uploads, is read by its scripts."""
_SIGNED_IN = "_streamlit_user"
_PREFIX = re.compile(r"__Host-|__Secure-")
_MAX_AGE = re.compile(r"; *max-age=[1-9]\d*", re.IGNORECASE)
_STARTS = ("http.response.start", "websocket.accept")


class Cookies:
    """The outermost of the app. ``read_entrance`` says what the site's address is, ``read_longest`` a session's."""

    def __init__(
        self, app: ASGIApp, read_entrance: Callable[[], Entrance], read_longest: Callable[[], dt.timedelta]
    ) -> None:
        self._app = app
        self._read_entrance, self._read_longest = cache(read_entrance), read_longest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        is_tls = self._is_tls(scope)

        async def with_cookies(message: Message) -> None:
            if message["type"] in _STARTS:
                message = {**message, "headers": [self._leave(pair, is_tls) for pair in message.get("headers", ())]}
            await send(message)

        await self._app(_bring_back(scope) if is_tls else scope, receive, with_cookies)

    @cached_property
    def _tls_hosts(self) -> frozenset[bytes]:
        origin = self._read_entrance().public_origin
        hosts = hosts_of(origin) if origin.startswith("https://") else ()
        return frozenset(host.encode() for host in hosts)

    def _is_tls(self, scope: Scope) -> bool:
        """Whether the browser's side has TLS: a proxy in front may end it and say nothing of it."""
        if scope.get("scheme") in ("https", "wss"):
            return True
        return any(name == b"host" and value.lower() in self._tls_hosts for name, value in scope["headers"])

    def _leave(self, pair: tuple[bytes, bytes], is_tls: bool) -> tuple[bytes, bytes]:  # noqa: FBT001 - of the request
        name, value = pair
        if name.lower() != b"set-cookie":
            return pair
        cookie = value.decode("latin-1")
        if cookie.startswith(_SIGNED_IN):
            cookie = _MAX_AGE.sub(f"; Max-Age={int(self._read_longest().total_seconds())}", cookie)
        return name, (_secure(cookie) if is_tls else cookie).encode("latin-1")


def _secure(cookie: str) -> str:
    attributes = [part.strip().lower() for part in cookie.split(";")[1:]]
    prefix = ("__Host-" if "path=/" in attributes else "__Secure-") if _OURS.match(cookie) else ""
    return f"{prefix}{cookie}" + ("" if "secure" in attributes else "; Secure")


def _bring_back(scope: Scope) -> Scope:
    """Take the prefixes off, and out what is named as one of ours without: over TLS the app gave no such cookie."""
    headers = [(name, _plain(value) if name == b"cookie" else value) for name, value in scope["headers"]]
    return {**scope, "headers": headers}


def _plain(sent: bytes) -> bytes:
    cookies = [part.strip() for part in sent.decode("latin-1").split(";")]
    own = (_PREFIX.sub("", cookie, count=1) for cookie in cookies if not _OURS.match(cookie))
    return "; ".join(own).encode("latin-1")
