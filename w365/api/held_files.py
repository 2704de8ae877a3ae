"""Files that Streamlit holds in memory, for a browser in which somebody is signed in who may have or give them.

Streamlit itself gives them to whoever knows the address, and takes them from whoever opened a websocket. What stands on
a page before anybody is signed in is therefore none of them: its pictures come with it.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from w365.api.browsers import COOKIE
from w365.api.refusal_log import RefusalLog
from w365.api.tokens import browser_of
from w365.api.visits import read_visit
from w365.errors import StoreError
from w365.model import Role
from w365.service import Service
from w365.service.people.sessions import role_in_browser


def least_role(path: str) -> Role | None:
    """The role that a held file at this path needs; None where the path leads to no such file.

    Streamlit's own script and style files have a folder `static/media`, and are everybody's.
    """
    parts = path.split("/")
    if "_stcore" in parts and "upload_file" in parts:
        return Role.ANALYST
    return Role.VIEWER if "media" in parts and "static" not in parts else None


class HeldFiles:
    """Asks before each such request whether the browser may; ``get_service`` gives none while it is being opened."""

    def __init__(self, app: ASGIApp, get_service: Callable[[], Service | None]) -> None:
        self._app, self._get_service = app, get_service
        self._refusals = RefusalLog()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        least = least_role(scope["path"]) if scope["type"] == "http" else None
        if least is None or await run_in_threadpool(self._may, scope, least):
            await self._app(scope, receive, send)
            return
        self._refusals.note("file", read_visit(scope, receive))
        refusal = "Nobody who may have or give this file is signed in here. Open the app's first page."
        await PlainTextResponse(refusal, 401)(scope, receive, send)

    def _may(self, scope: Scope, least: Role) -> bool:
        service = self._get_service()
        cookies = b"; ".join(value for name, value in scope["headers"] if name == b"cookie").decode("latin-1")
        try:
            role = role_in_browser(service, browser_of(cookie_parser(cookies).get(COOKIE, ""))) if service else None
        except StoreError:
            return False
        return role is not None and role >= least
