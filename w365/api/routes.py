"""The JSON routes of the grid and its lookup cell. Each asks for the token and acts as the person it names."""

from __future__ import annotations

import datetime as dt
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from w365.api import tokens
from w365.api.browsers import COOKIE
from w365.api.downloads import Download, send
from w365.api.half_open import answer_nobody
from w365.api.parameters import Edit, read_block, read_edit, read_row, read_text
from w365.api.programs.routes import program_routes
from w365.api.refusal_log import RefusalLog
from w365.api.rows import Json, account_json, row_json
from w365.api.sign_in_return import sign_in_routes
from w365.api.visits import read_visit
from w365.errors import (
    AccessError,
    InputError,
    NotAllowed,
    NotFound,
    Outdated,
    PolicyBreach,
    SignedOut,
    StaleEdit,
    StoreError,
    W365Error,
)
from w365.meters import SAVE_SECONDS
from w365.model import Actor
from w365.service import Service
from w365.service.deciding.mapping import assign_account, clear_mapping
from w365.service.people.sessions import stay
from w365.service.reading.account_lookup import candidates_of, search_accounts
from w365.service.reading.records import count, list_rows
from w365.service.reading.records import read_row as read_row_now

_log = logging.getLogger(__name__)

MOST_ACCOUNTS = 20
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_STATUS: tuple[tuple[type[W365Error], int], ...] = (
    (NotAllowed, 403),
    (AccessError, 401),
    (NotFound, 404),
    (PolicyBreach, 409),
    (StaleEdit, 409),
    (InputError, 422),
    (StoreError, 503),
)
"""The first class that fits counts, so a class stands before the one it inherits from."""


def routes(get_service: Callable[[], Service], base: str = "") -> list[Route]:
    """Return the routes below the app's base path; `get_service` is called at each request."""
    api, log = _Api(get_service), RefusalLog()
    unforeseen = {ClientDisconnect: answer_nobody, Exception: _failed}
    kept = [Middleware(ExceptionMiddleware, handlers={W365Error: partial(_refused, log), **unforeseen})]
    told = [Middleware(ExceptionMiddleware, handlers={W365Error: partial(_said, log), **unforeseen})]
    download = Route(base + "/api/downloads/{name}", api.download, methods=["GET"], middleware=told)
    download.methods = {"GET"}  # a HEAD, as a scanner of links sends one, would use the link up
    return [
        Route(f"{base}/api/rows", api.rows, methods=["GET"], middleware=kept),
        Route(f"{base}/api/accounts", api.accounts, methods=["GET"], middleware=kept),
        Route(f"{base}/api/mapping", api.mapping, methods=["POST"], middleware=kept),
        Route(f"{base}/api/token", api.token, methods=["POST"], middleware=kept),
        download,
        *program_routes(get_service, base),
        *sign_in_routes(get_service),
    ]


@dataclass(frozen=True)
class _Api:
    """The handlers. Those without `async` run in the thread pool, so that the database never blocks the pages."""

    get_service: Callable[[], Service]

    def rows(self, request: Request) -> JSONResponse:
        """A block of rows with the total, or, asked for `row`, this one alone."""
        service, actor = self._who(request)
        one = read_row(request.query_params)
        if one is not None:
            return _answer({"rows": [row_json(read_row_now(service, actor, one))], "total": 1})
        block = read_block(request.query_params)
        rows = list_rows(
            service,
            actor,
            block.wanted,
            block.sort,
            descending=block.descending,
            start=block.start,
            limit=block.end - block.start,
        )
        total = count(service, actor, block.wanted) if block.total is None else block.total
        return _answer({"rows": [row_json(row) for row in rows], "total": total})

    def accounts(self, request: Request) -> JSONResponse:
        """The accounts found for what was typed; before anything is typed, the candidates of the row."""
        service, actor = self._who(request)
        text, row = read_text(request.query_params, "q").strip(), read_row(request.query_params)
        if text:
            hits = search_accounts(service, actor, text, limit=MOST_ACCOUNTS + 1, row=row)
        else:
            hits = [] if row is None else candidates_of(service, actor, row)
        shown = [account_json(hit) for hit in hits[:MOST_ACCOUNTS]]
        return _answer({"accounts": shown, "more": len(hits) > MOST_ACCOUNTS})

    async def mapping(self, request: Request) -> JSONResponse:
        service, actor = self._who(request)
        edit = await read_edit(request)
        with SAVE_SECONDS.time():
            return await run_in_threadpool(_save, service, actor, edit)

    async def download(self, request: Request) -> Download:
        """The file that a link stands for; what is wrong with it is read by a person, in a tab of its own."""
        return await send(self.get_service(), request)

    def token(self, request: Request) -> JSONResponse:
        """A new token for one that became too old, while the session goes on."""
        service, actor = self._who(request, tokens.RENEWABLE)
        return _answer({"token": tokens.mint_token(service.settings.secret_key, actor, _browser(request))})

    def _who(self, request: Request, max_age: dt.timedelta = tokens.MAX_AGE) -> tuple[Service, Actor]:
        """Whoever the token names, still signed in. This is a use of the session, as opening a page is."""
        service = self.get_service()
        settings, token = service.settings, request.headers.get(tokens.HEADER, "")
        old_keys = settings.old_secret_keys
        actor = tokens.read_token(settings.secret_key, token, _browser(request), old_keys=old_keys, max_age=max_age)
        return service, stay(service, actor)


def _browser(request: Request) -> str:
    return tokens.browser_of(request.cookies.get(COOKIE, ""))


def _save(service: Service, actor: Actor, edit: Edit) -> JSONResponse:
    """Save an edit; a refusal comes with the row as it is now."""
    try:
        if edit.account is None:
            decided = clear_mapping(service, actor, edit.row, seen=edit.seen)
        else:
            decided = assign_account(service, actor, edit.row, edit.account, seen=edit.seen)
    except W365Error as error:
        if isinstance(error, StoreError):
            raise
        return _refusal(error, row=_as_it_is(service, actor, edit.row))
    return _answer({"row": row_json(decided.row)})


def _as_it_is(service: Service, actor: Actor, row: int) -> Json | None:
    try:
        return row_json(read_row_now(service, actor, row))
    except NotFound:
        return None


def _refused(log: RefusalLog, request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, W365Error)  # noqa: S101 - registered for this class; Starlette's type is wider
    _note_refusal(log, request, error)
    return _refusal(error)


def _said(log: RefusalLog, request: Request, error: Exception) -> PlainTextResponse:
    assert isinstance(error, W365Error)  # noqa: S101 - registered for this class; Starlette's type is wider
    _note_refusal(log, request, error)
    return PlainTextResponse(str(error), _status_of(error), headers=_HEADERS)


def _note_refusal(log: RefusalLog, request: Request, error: W365Error) -> None:
    """Log what no page of the app sends. That a page is too old, its session over, a role too low is told elsewhere."""
    if isinstance(error, AccessError) and not isinstance(error, (NotAllowed, Outdated, SignedOut)):
        log.note(error.what, read_visit(request.scope, request.receive))


def _failed(request: Request, error: Exception) -> JSONResponse:
    """Answer an unexpected error with a reference id; the detail stands under it in the log."""
    reference = secrets.token_hex(4)
    _log.error("reference %s: %s failed", reference, request.url.path, exc_info=error)
    sentence = f"Something unexpected happened. Try again; if it stays, tell an admin the reference {reference}."
    return _answer({"error": sentence}, 500)


def _refusal(error: W365Error, **more: object) -> JSONResponse:
    if isinstance(error, Outdated):
        more["isOutdated"] = True
    return _answer({"error": str(error), **more}, _status_of(error))


def _status_of(error: W365Error) -> int:
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def _answer(body: Json, status: int = 200) -> JSONResponse:
    return JSONResponse(body, status, headers=_HEADERS)
