"""Gives every browser a name of its own, so that a link to a file works in the browser that asked for it alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from w365.api.browsers import COOKIE, name_browser, read_browser


class BrowserCookie:
    """Sets the cookie on the page itself, before anything else of the page is asked for.

    ``read_keys`` gives the keys that sign names, the newest first.
    """

    def __init__(self, app: ASGIApp, read_keys: Callable[[], Sequence[str]]) -> None:
        self._app = app
        self._read_keys = read_keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_page(scope) or read_browser(self._read_keys(), scope["headers"]):
            await self._app(scope, receive, send)
            return

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.append("set-cookie", self._cookie(secure=scope.get("scheme") == "https"))
            await send(message)

        await self._app(scope, receive, with_cookie)

    def _cookie(self, *, secure: bool) -> str:
        kept = "Path=/; HttpOnly; SameSite=Strict" + ("; Secure" if secure else "")
        return f"{COOKIE}={name_browser(self._read_keys())}; {kept}"


def _is_page(scope: Scope) -> bool:
    """Whether a browser asks for a page; the answer itself may be "not modified" and tell nothing."""
    return scope["type"] == "http" and any(
        name == b"accept" and value.startswith(b"text/html") for name, value in scope["headers"]
    )
