"""Gives each request an id that stands in the log's lines and in the answer: the proxy's, where it gave it one."""

from __future__ import annotations

import re
import secrets

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from w365.log import logged_as

HEADER = "x-request-id"
_PLAIN = re.compile(r"[A-Za-z0-9-]{8,64}")


class RequestIds:
    """Goes around all else, so that every refusal has one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER, "")
        request_id = given if _PLAIN.fullmatch(given) else secrets.token_hex(8)

        async def with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        with logged_as(request=request_id):
            await self._app(scope, receive, with_id)
