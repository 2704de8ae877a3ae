"""Keeps what the identity provider gives to call others with out of the browser.

Streamlit puts the access token of a sign-in, which this app never uses, into a cookie that is signed but not encrypted,
whatever `expose_tokens` says: that setting is about `st.user` alone. The ID token stays, to end the provider's session.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import partial

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.auth_util import get_cookie_with_chunks, set_cookie_with_chunks
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value, decode_signed_value

NAME = "_streamlit_user_tokens"
_KEPT = "id_token"
_GIVEN = re.compile(rf"({NAME}(?:_\d+)?)=([^;\"]+); *(.*)", re.IGNORECASE)
_ENDS = "/oauth2callback"

Headers = Sequence[tuple[bytes, bytes]]


class TokenCookie:
    """Around the route that answers the identity provider; ``read_secret`` gives what signs Streamlit's cookies."""

    def __init__(self, app: ASGIApp, read_secret: Callable[[], str]) -> None:
        self._app, self._read_secret = app, read_secret

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].endswith(_ENDS):
            await self._app(scope, receive, send)
            return

        async def without(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": keep_id_token(message["headers"], self._read_secret())}
            await send(message)

        await self._app(scope, receive, without)


def keep_id_token(headers: Headers, secret: str) -> Headers:
    """Return the headers with the ID token alone in the cookie; without the cookie where it cannot be read."""
    given = {pair: _GIVEN.match(pair[1].decode("latin-1")) for pair in headers if pair[0].lower() == b"set-cookie"}
    cookies = [match for match in given.values() if match]
    if not cookies:
        return headers
    others = [pair for pair in headers if not given.get(pair)]
    attributes = cookies[0][3]
    values = {match[1]: decode_signed_value(secret, match[1], match[2]) for match in cookies}
    tokens = json.loads(get_cookie_with_chunks(values.get, NAME) or "{}")
    if _KEPT not in tokens:
        return others
    sign = partial(create_signed_value, secret)

    def keep(name: str, value: str) -> None:
        others.append((b"set-cookie", f"{name}={sign(name, value).decode('ascii')}; {attributes}".encode("latin-1")))

    set_cookie_with_chunks(keep, sign, NAME, {_KEPT: tokens[_KEPT]}, cookie_attr_size=len(attributes) + 2)
    return others
