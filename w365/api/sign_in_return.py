"""Where the browser returns to after a person signed in for an application. It answers with a small page of its own."""

from __future__ import annotations

import html
import logging
import secrets
from collections.abc import Callable
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from w365.api.half_open import answer_nobody
from w365.errors import W365Error
from w365.service import Service
from w365.service.connecting.sign_ins import SignInView, finish_sign_in

_log = logging.getLogger(__name__)

PATH = "/api/signed-in"
_FAILED = "The sign-in did not work"
_LONGEST = 20_000
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
}
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 38rem; margin: 18vh auto 0; padding: 0 1.5rem; }}
h1 {{ font-size: 1.5rem; }}
</style></head>
<body><h1>{title}</h1><p>{text}</p><p>You can close this tab and go on in the one you came from.</p></body></html>
"""


def sign_in_routes(get_service: Callable[[], Service]) -> list[Route]:
    """The route, at the root and below any base path: Streamlit puts its own base path before its own routes only."""

    async def signed_in(request: Request) -> HTMLResponse:
        answer = await _read_form(request)
        return _page("Signed in", _told(await run_in_threadpool(lambda: finish_sign_in(get_service(), answer))))

    kept = [
        Middleware(
            ExceptionMiddleware, handlers={W365Error: _refused, ClientDisconnect: answer_nobody, Exception: _failed}
        )
    ]
    paths = (PATH, "/{base:path}" + PATH)
    return [Route(path, signed_in, methods=["POST"], middleware=kept) for path in paths]


async def _read_form(request: Request) -> dict[str, str]:
    """The fields that the sign-in's page posted; what is longer than any answer is cut off and then fits nothing."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LONGEST:
            break
    return dict(parse_qsl(body[:_LONGEST].decode("utf-8", "replace"), keep_blank_values=True))


def _refused(_request: Request, error: Exception) -> HTMLResponse:
    assert isinstance(error, W365Error)  # noqa: S101 - registered for this class; Starlette's type is wider
    _log.warning("a sign-in failed: %s %s", error, error.detail)
    return _page(_FAILED, str(error), 400)


def _failed(_request: Request, error: Exception) -> HTMLResponse:
    reference = secrets.token_hex(4)
    _log.error("reference %s: a sign-in failed", reference, exc_info=error)
    return _page(_FAILED, f"For a reason nobody foresaw. Tell an admin the reference {reference}.", 500)


def _told(sign_in: SignInView) -> str:
    who = f"Signed in as {sign_in.person}."
    return " ".join(filter(None, (who, sign_in.problem, sign_in.warning)))


def _page(title: str, text: str, status: int = 200) -> HTMLResponse:
    page = _PAGE.format(title=html.escape(title), text=html.escape(text))
    return HTMLResponse(page, status, headers=_HEADERS)
