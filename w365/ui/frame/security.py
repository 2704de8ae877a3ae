"""What stands around the pages: the doors, headers on every answer (Streamlit sends none of these itself), a cookie."""

from __future__ import annotations

import base64
import functools
import hashlib
import re
import secrets
from pathlib import Path

import streamlit
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from w365.api.doors import Doors
from w365.config import load_entrance, load_settings
from w365.errors import W365Error
from w365.ui.frame.browser_cookie import BrowserCookie

_POLICY = (
    "default-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "worker-src 'self' blob:",
    "frame-src 'self'",
    "frame-ancestors 'self'",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
)
_FIXED = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_COMPONENTS = "/component/"


def _own_inline_scripts() -> str:
    """Allow the inline scripts of Streamlit's own page, by their hashes: they change with its releases."""
    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    digests = [
        hashlib.sha256(text.encode()).digest() for text in re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    ]
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)


_SCRIPTS = f"script-src 'self' {_own_inline_scripts()}"


def headers_for(path: str) -> dict[str, str]:
    """The headers of an answer to this path: scripts of our own only, and `eval` for the grid's frame alone.

    streamlit-aggrid turns its column functions into code with `new Function`; without leave it shows nothing.
    """
    scripts = "script-src 'self' 'unsafe-eval'" if path.startswith(_COMPONENTS) else _SCRIPTS
    return {**_FIXED, "content-security-policy": "; ".join((*_POLICY, scripts))}


class SecurityHeaders:
    """Adds the headers to what the app answers, and leaves those that it set."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wanted = [(name.encode(), value.encode()) for name, value in headers_for(scope["path"]).items()]

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(one for one in wanted if one[0] not in present)]
            await send(message)

        await self._app(scope, receive, with_headers)


@functools.cache
def cookie_keys() -> tuple[str, ...]:
    """The keys that sign browsers' names. Where settings are wrong, of which the page tells, there is one for now."""
    try:
        settings = load_settings()
    except W365Error:
        return (secrets.token_urlsafe(32),)
    return (settings.secret_key, *settings.old_secret_keys)


middleware = [
    Middleware(Doors, load_entrance, cookie_keys),
    Middleware(SecurityHeaders),
    Middleware(BrowserCookie, cookie_keys),
]
