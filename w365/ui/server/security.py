"""What stands around the pages: the doors, headers on every answer (Streamlit sends none of these itself), cookies."""

from __future__ import annotations

import base64
import datetime as dt
import functools
import hashlib
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import streamlit
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config

from w365.api.browser_cookie import BrowserCookie
from w365.api.cookies import Cookies
from w365.api.doors import Doors
from w365.api.held_files import HeldFiles
from w365.api.request_ids import RequestIds
from w365.api.way_back import Failure, WayBack
from w365.config import load_entrance, load_settings
from w365.entrance import Entrance, SignInMode
from w365.errors import ConfigurationError, W365Error
from w365.service.people.sessions import note_failed_sign_in
from w365.ui.frame import app_runtime
from w365.ui.frame.visitor import base_path, cookie_secret, name_identity_provider
from w365.ui.server.token_cookie import TokenCookie

_POLICY = (
    "default-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "worker-src 'self' blob:",
    "frame-src 'self'",
    "frame-ancestors 'self'",  # the grid stands in a frame of our own
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
)
_FIXED = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
"""The last is for what says nothing of its own: files of people, redirects, errors."""
_TLS_ONLY = {"strict-transport-security": "max-age=31536000; includeSubDomains"}
_COMPONENTS = "/component/"


def _own_inline_scripts() -> str:
    """Allow the inline scripts of Streamlit's own page, by their hashes: they change with its releases."""
    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    digests = [
        hashlib.sha256(text.encode()).digest() for text in re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    ]
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)


_SCRIPTS = f"script-src 'self' {_own_inline_scripts()}"


def headers_for(path: str, base: str = "") -> dict[str, str]:
    """The headers of an answer to this path: scripts of our own only, and `eval` for the grid's frame alone.

    That frame stands below the app's base path.

    streamlit-aggrid turns its column functions into code with `new Function`; without leave it shows nothing.
    """
    scripts = "script-src 'self' 'unsafe-eval'" if path.startswith(base + _COMPONENTS) else _SCRIPTS
    return {**_FIXED, "content-security-policy": "; ".join((*_POLICY, scripts))}


class SecurityHeaders:
    """Adds the headers to what the app answers, and leaves those that it set.

    Where people reach the app by https://, browsers are told to use nothing else for its host and those below.
    """

    def __init__(self, app: ASGIApp, read_entrance: Callable[[], Entrance], base: str) -> None:
        self._app, self._read_entrance, self._base = app, functools.cache(read_entrance), base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_tls = self._read_entrance().public_url.startswith("https://")
        headers = headers_for(scope["path"], self._base) | (_TLS_ONLY if is_tls else {})
        wanted = [(name.encode(), value.encode()) for name, value in headers.items()]

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


def prepare_cookies() -> None:
    """Let Streamlit sign its cookies as every replica does, and go on with a page only for whom it was opened for.

    That is the person that the proxy named; with an identity provider it does so by itself. Else whoever knows a page's
    id would go on with what stands in it.
    """
    with suppress(ConfigurationError):  # the page tells it
        config.set_option("server.cookieSecret", cookie_secret(load_settings()))
    with suppress(ConfigurationError):  # the doors tell it, and nothing starts
        entrance = load_entrance()
        if entrance.sign_in is SignInMode.PROXY:
            config.set_option("server.trustedUserHeaders", {entrance.user_header: "person"})


def _longest_session() -> dt.timedelta:
    return app_runtime.service().settings.people.longest


def _note_failure(failure: Failure) -> None:
    note_failed_sign_in(app_runtime.service(), _FAILURES[failure])


_FAILURES = {
    Failure.REFUSED: "the identity provider signed nobody in",
    Failure.UNUSABLE: "an answer of the identity provider could not be used",
}


def _cookie_secret() -> str:
    """What signs Streamlit's own cookies; where no identity provider is set, it writes none."""
    return str(name_identity_provider()["auth"]["cookie_secret"])


middleware = [
    Middleware(RequestIds),
    Middleware(Cookies, load_entrance, _longest_session),
    Middleware(SecurityHeaders, load_entrance, base_path()),
    Middleware(Doors, load_entrance, cookie_keys),
    Middleware(HeldFiles, app_runtime.opened_service),
    Middleware(WayBack, load_entrance, _note_failure, base_path() or "/"),
    Middleware(TokenCookie, _cookie_secret),
    Middleware(BrowserCookie, cookie_keys, base_path() or "/"),
]
