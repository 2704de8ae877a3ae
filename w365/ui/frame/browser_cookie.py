"""Gives every browser a random name, so that a link to a file works in the browser that asked for it alone."""

from __future__ import annotations

import secrets

from starlette.datastructures import MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from w365.api.downloads import COOKIE


class BrowserCookie:
    """Sets the cookie on the page itself, before anything else of the page is asked for."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_page(scope) or _has_name(scope):
            await self._app(scope, receive, send)
            return

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.append("set-cookie", _cookie(secure=scope.get("scheme") == "https"))
            await send(message)

        await self._app(scope, receive, with_cookie)


def _is_page(scope: Scope) -> bool:
    """Whether a browser asks for a page; the answer itself may be "not modified" and tell nothing."""
    return scope["type"] == "http" and any(
        name == b"accept" and value.startswith(b"text/html") for name, value in scope["headers"]
    )


def _has_name(scope: Scope) -> bool:
    sent = b"; ".join(value for name, value in scope["headers"] if name == b"cookie").decode("latin-1")
    return bool(cookie_parser(sent).get(COOKIE))


def _cookie(*, secure: bool) -> str:
    return f"{COOKIE}={secrets.token_urlsafe(24)}; Path=/; HttpOnly; SameSite=Strict" + ("; Secure" if secure else "")
