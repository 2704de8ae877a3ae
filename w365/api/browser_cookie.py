"""Gives every browser a name of its own, so that a link to a file works in the browser that asked for it alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from w365.api.browsers import COOKIE, name_browser, read_browser

_ASKED_FIRST = "/_stcore/health"


class BrowserCookie:
    """Sets the cookie on what every page asks for before it opens its websocket.

    Not on the page: where a link in a mail or an identity provider leads to it, the browser keeps the cookie back, as
    it is for this site's own requests alone, and a new one would end what goes on in other tabs.

    ``read_keys`` gives the keys that sign names, the newest first. ``path`` is the app's base path.
    """

    def __init__(self, app: ASGIApp, read_keys: Callable[[], Sequence[str]], path: str = "/") -> None:
        self._app = app
        self._read_keys, self._path = read_keys, path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_first = scope["type"] == "http" and scope["path"].endswith(_ASKED_FIRST)
        if not is_first or read_browser(self._read_keys(), scope["headers"]):
            await self._app(scope, receive, send)
            return

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                cookie = f"{COOKIE}={name_browser(self._read_keys())}; Path={self._path}; HttpOnly; SameSite=Strict"
                MutableHeaders(scope=message).append("set-cookie", cookie)
            await send(message)

        await self._app(scope, receive, with_cookie)
