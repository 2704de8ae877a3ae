"""Leads whoever signs in back to the page that was asked for; Streamlit itself always leads to the first.

Where a sign-in failed, of which Streamlit tells its log alone, the address says so to the page and the audit log to an
admin.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from functools import cache
from urllib.parse import quote, unquote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from w365.entrance import Entrance

COOKIE = "w365_asked"
FAILED = "sign-in"
"""In the address of the page: how a sign-in failed, to be read once."""

_BEGINS, _ENDS = "/auth/login", "/oauth2callback"
_SECONDS = 3600
_LONGEST = 1500
_PLAIN = re.compile(r"[!-\[\]-~]*")  # what a browser writes into an address: ASCII, without a backslash
_INNER = re.compile(r"/(auth|oauth2callback|api|_stcore)(/|$)")
_IDENTITY = re.compile(r'_streamlit_user=[^";]')


class Failure(enum.StrEnum):
    """REFUSED: the identity provider did not sign the person in. UNUSABLE: what it answered could not be used."""

    REFUSED = "refused"
    UNUSABLE = "unusable"


class WayBack:
    """Remembers the page for the time of the sign-in, in a cookie. ``note`` keeps a failure in the audit log."""

    def __init__(
        self, app: ASGIApp, read_entrance: Callable[[], Entrance], note: Callable[[Failure], None], path: str = "/"
    ) -> None:
        self._app = app
        self._read_entrance, self._note, self._path = cache(read_entrance), note, path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        change = self._change_for(scope)
        if change is None:
            await self._app(scope, receive, send)
            return

        async def changed(message: Message) -> None:
            is_start = message["type"] == "http.response.start"
            if is_start and (failure := change(Request(scope), MutableHeaders(scope=message))):
                await run_in_threadpool(self._note, failure)
            await send(message)

        await self._app(scope, receive, changed)

    def _change_for(self, scope: Scope) -> Callable[[Request, MutableHeaders], Failure | None] | None:
        if scope["type"] != "http":
            return None
        changes = {_BEGINS: self._remember, _ENDS: self._return}
        return next((change for end, change in changes.items() if scope["path"].endswith(end)), None)

    def _remember(self, request: Request, headers: MutableHeaders) -> None:
        """Keep the page that the request comes from: only a page of this site tells its whole address."""
        origin, page = _split(request.headers.get("referer", ""))
        page = page if origin == self._read_entrance().public_origin and self._is_page(page) else ""
        self._keep(headers, quote(page, safe=""), _SECONDS if page else 0)

    def _return(self, request: Request, headers: MutableHeaders) -> Failure | None:
        asked = unquote(request.cookies.get(COOKIE, ""))
        page = asked if self._is_page(asked) else headers.get("location", self._path)
        if failure := _failure_of(request, headers):
            page += f"{'&' if '?' in page else '?'}{FAILED}={failure}"
        headers["location"] = page
        self._keep(headers, "", 0)
        return failure

    def _is_page(self, address: str) -> bool:
        """Tell whether path and query are a page of this site, and lead nowhere else."""
        base = urlsplit(self._read_entrance().public_url).path
        path = address.partition("?")[0]
        is_plain = len(address) <= _LONGEST and bool(_PLAIN.fullmatch(address)) and not re.search(r"//|\.\.", path)
        return is_plain and path.startswith(f"{base}/") and not _INNER.match(path.removeprefix(base))

    def _keep(self, headers: MutableHeaders, value: str, seconds: int) -> None:
        kept = f"Path={self._path}; HttpOnly; SameSite=Lax; Max-Age={seconds}"
        headers.append("set-cookie", f"{COOKIE}={value}; {kept}")


def _split(address: str) -> tuple[str, str]:
    """Origin, and path with query, of an address as a browser writes it."""
    scheme, _, rest = address.partition("://")
    host, slash, page = rest.partition("/")
    return f"{scheme}://{host}", slash + page


def _failure_of(request: Request, headers: MutableHeaders) -> Failure | None:
    """Say how a sign-in failed; the browser returns here also from signing out, with neither answer nor error."""
    if "error" in request.query_params:
        return Failure.REFUSED
    is_signed_in = any(_IDENTITY.match(cookie) for cookie in headers.getlist("set-cookie"))
    return Failure.UNUSABLE if "code" in request.query_params and not is_signed_in else None
