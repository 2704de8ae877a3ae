"""`/api/v1`: who asks, whether often enough for now, what, and the answer or the problem as JSON."""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import cache
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route, compile_path

from w365.api.programs.allowance import Allowance
from w365.api.programs.customers import mapping
from w365.api.programs.description import PREFIX, describe
from w365.api.programs.operations import OPERATIONS, SEEN, Operation
from w365.api.programs.problems import (
    MEDIA_TYPE,
    ProblemKind,
    Refused,
    headers_of,
    kind_of,
    problem,
    too_many,
)
from w365.api.programs.shapes import LARGEST, Misshapen, read_members, read_texts
from w365.api.refusal_log import RefusalLog
from w365.api.visits import read_visit
from w365.errors import AccessError, NotAllowed, StaleEdit, W365Error
from w365.model import Actor
from w365.service import Service
from w365.service.people.service_tokens import enter_program
from w365.service.reading.records import read_row

_log = logging.getLogger(__name__)

LONGEST_BODY = 4_096
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_ALL_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
_ETAG = re.compile(r'"([0-9]{1,16})"', re.ASCII)
_BEARER = re.compile(r"Bearer +([\x21-\x7e]+)", re.IGNORECASE)


def program_routes(get_service: Callable[[], Service], base: str = "") -> list[Route]:
    """Return the routes below the app's base path. What else begins like them is answered here too, by a problem."""
    desk = _Desk(get_service)
    place = base + PREFIX
    described = _json(200, describe(base))

    async def description(_request: Request) -> Response:
        return described

    return [
        Route(f"{place}/openapi.json", description, methods=["GET"]),
        *(Route(place + each.path, desk.endpoint(each), methods=[each.method]) for each in OPERATIONS),
        *(Route(place + rest, _refuse_rest(place), methods=_ALL_METHODS) for rest in ("", "/{rest:path}")),
    ]


class _Desk:
    """Serves the operations. What a token may call is counted here, so that there is one desk in a process."""

    def __init__(self, get_service: Callable[[], Service]) -> None:
        self._get_service = get_service
        self._allowance_of = cache(Allowance)
        self._refusals = RefusalLog()

    def endpoint(self, operation: Operation) -> Callable[[Request], Any]:
        async def serve(request: Request) -> Response:
            try:
                body = await _read_body(request)
            except ClientDisconnect:
                return Response(status_code=400)  # to nobody; and half a question is none
            return await run_in_threadpool(self._serve, operation, request, body)

        return serve

    def _serve(self, operation: Operation, request: Request, body: bytes) -> Response:
        actor = None
        try:
            service = self._get_service()
            actor = self._let_in(service, request)
            question = _read_question(operation, request, body)
            return _answer(operation, request, operation.handler(service, actor, question))
        except Refused as refusal:
            return _refuse(refusal.kind, refusal.detail, refusal.headers)
        except Misshapen as error:
            return _refuse(ProblemKind.MALFORMED, f"{error} Nothing was done.")
        except W365Error as error:
            self._note(request, error)
            return _refuse(kind_of(error), str(error), mapping=self._as_it_is(request, actor, error))
        except Exception as error:  # noqa: BLE001 - as the pages' and the grid's routes, the last resort of these
            return _failed(request, error)

    def _let_in(self, service: Service, request: Request) -> Actor:
        brought = _BEARER.fullmatch(request.headers.get("Authorization", ""))
        if not brought:
            raise Refused(ProblemKind.NO_TOKEN, "Send a service account's token as “Authorization: Bearer …”.")
        actor = enter_program(service, brought[1])
        wait = self._allowance_of(service.settings.api_calls_per_minute).take(actor.token or 0)
        if wait:
            raise too_many(wait)
        return actor

    def _note(self, request: Request, error: W365Error) -> None:
        """Log now and then from where tokens come that open nothing; of those that ended the audit log tells."""
        if isinstance(error, AccessError) and not isinstance(error, NotAllowed):
            self._refusals.note(f"token: {error.what}", read_visit(request.scope, request.receive))

    def _as_it_is(self, request: Request, actor: Actor | None, error: W365Error) -> object:
        if actor is None or not isinstance(error, StaleEdit):
            return None
        try:
            return mapping(read_row(self._get_service(), actor, int(request.path_params["id"])))
        except W365Error:  # the refusal is the answer, whatever else happens
            return None


async def _read_body(request: Request) -> bytes:
    """Read what comes as far as a body may reach, and a little more where it is too long."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LONGEST_BODY:
            break
    return body


def _read_question(operation: Operation, request: Request, body: bytes) -> object:
    query = {name: request.query_params.getlist(name) for name in request.query_params}
    place = {name: [str(text)] for name, text in request.path_params.items()}
    parts = _read_place(operation, place) | read_texts(operation.in_query, query)
    if operation.has_version:
        parts[SEEN] = _read_version(request)
    if operation.in_body and (body or any(field.is_needed for field in operation.in_body)):
        parts |= read_members(operation.in_body, _read_json(request, body))
    elif body:
        raise Misshapen("This takes no body.")
    return operation.question(**parts)


def _read_place(operation: Operation, place: Mapping[str, list[str]]) -> dict[str, Any]:
    try:
        return read_texts(operation.in_path, place)
    except Misshapen as error:
        raise Refused(ProblemKind.NOT_FOUND, f"There is nothing at this address: {error}") from None


def _read_version(request: Request) -> int:
    given = request.headers.getlist("If-Match")
    if not given:
        raise Refused(
            ProblemKind.NO_VERSION, "Send the version that you looked at as If-Match, in quotes. Nothing was changed."
        )
    version = _ETAG.fullmatch(given[0]) if len(given) == 1 else None
    if not version or int(version[1]) > LARGEST:
        raise Misshapen('If-Match is one version in quotes, such as "17".')
    return int(version[1])


def _read_json(request: Request, body: bytes) -> object:
    if len(body) > LONGEST_BODY:
        raise Refused(ProblemKind.TOO_LARGE, f"A body has {LONGEST_BODY:,} bytes at most. Nothing was changed.")
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused(ProblemKind.NO_JSON, "Send the body as application/json. Nothing was changed.")
    try:
        return json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Misshapen("The body is not JSON in UTF-8.") from None


def _answer(operation: Operation, request: Request, answer: Any) -> Response:
    content, headers = asdict(answer), {}
    if operation.path.endswith("/mapping") or operation.has_version:
        headers["ETag"] = f'"{content["version"]}"'
    if operation.status == 202:
        place, _, _ = request.url.path.partition(PREFIX)
        headers["Location"] = f"{place}{PREFIX}/runs/{content['id']}"
    return _json(operation.status, content, headers)


def _refuse_rest(place: str) -> Callable[[Request], Any]:
    """Answer what no operation does: with the methods of its path, or that there is nothing."""
    methods: dict[re.Pattern[str], list[str]] = {compile_path(f"{place}/openapi.json")[0]: ["GET", "HEAD"]}
    for each in OPERATIONS:
        pattern = compile_path(place + each.path)[0]
        methods.setdefault(pattern, []).extend(["GET", "HEAD"] if each.method == "GET" else [each.method])

    async def refuse(request: Request) -> Response:
        fitting = next((allowed for pattern, allowed in methods.items() if pattern.match(request.url.path)), None)
        if fitting is None:
            return _refuse(ProblemKind.NOT_FOUND, f"There is nothing at this address; {place}/openapi.json has all.")
        allowed = ", ".join(fitting)
        return _refuse(ProblemKind.NO_SUCH_METHOD, f"This address takes {allowed}.", {"Allow": allowed})

    return refuse


def _failed(request: Request, error: Exception) -> Response:
    reference = secrets.token_hex(4)
    _log.error("reference %s: %s failed", reference, request.url.path, exc_info=error)
    detail = f"Try again; if it stays, tell an admin the reference {reference}."
    return _refuse(ProblemKind.UNFORESEEN, detail, reference=reference)


def _refuse(kind: ProblemKind, detail: str, headers: Mapping[str, str] | None = None, **more: object) -> Response:
    return _json(kind.status, problem(kind, detail, **more), headers_of(kind) | dict(headers or {}), MEDIA_TYPE)


def _json(
    status: int, content: object, headers: Mapping[str, str] | None = None, media_type: str = "application/json"
) -> Response:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=_as_text)
    return Response(text.encode("utf-8", "replace"), status, {**_HEADERS, **(headers or {})}, media_type)


def _as_text(value: object) -> str:
    if isinstance(value, (dt.date, dt.datetime)):
        return value.isoformat()
    raise TypeError(type(value))
