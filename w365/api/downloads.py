"""Links to files: each is for the browser that asked, works once, and only for a few minutes.

They are kept in the memory of this process, which made them: a browser stays with its replica, and a restart ends them.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import IO

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import StreamingResponse

from w365.errors import AccessError
from w365.model import Actor
from w365.service import Service
from w365.service.export import MEDIA_TYPES, Wanted, name_of, open_file

COOKIE = "w365_browser"
"""Tells browsers apart; set by the app on its page, read by no script."""

SECONDS = 300
_MOST = 10_000
_PART = 256 * 1024


@dataclass(frozen=True, slots=True)
class _Ticket:
    actor: Actor
    wanted: Wanted
    browser: str
    until: float


class Tickets:
    """What was asked for and not fetched yet, by the random name that stands in the link."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._open: dict[str, _Ticket] = {}

    def issue(self, actor: Actor, wanted: Wanted, browser: str) -> str:
        """Keep what is wanted and return the link to it, for this browser alone."""
        now, name = self._clock(), secrets.token_urlsafe(32)
        with self._lock:
            self._open = {key: one for key, one in self._open.items() if one.until > now}
            while len(self._open) >= _MOST:
                del self._open[next(iter(self._open))]
            self._open[name] = _Ticket(actor, wanted, browser, now + SECONDS)
        return f"/api/downloads/{name}"

    def redeem(self, name: str, browser: str) -> tuple[Actor, Wanted]:
        """Take what a link stands for; AccessError when it was used, is too old or somebody else's."""
        with self._lock:
            ticket = self._open.get(name)
            if ticket is None or ticket.until <= self._clock():
                raise _refused("This link was used already, or is too old.")
            if not browser or not hmac.compare_digest(ticket.browser.encode(), browser.encode()):
                raise _refused("This link was made for another browser.")
            del self._open[name]
        return ticket.actor, ticket.wanted


TICKETS = Tickets()


async def send(service: Service, request: Request, tickets: Tickets = TICKETS) -> StreamingResponse:
    """Make the file of a link and stream it."""
    actor, wanted = tickets.redeem(request.path_params["name"], request.cookies.get(COOKIE, ""))
    file = await run_in_threadpool(open_file, service, actor, wanted)
    return StreamingResponse(
        _parts(file),
        media_type=MEDIA_TYPES[wanted.form],
        headers={
            "Content-Disposition": f'attachment; filename="{name_of(service, wanted)}"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


def _parts(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while part := file.read(_PART):
            yield part


def _refused(what: str) -> AccessError:
    return AccessError(what, kept="Nothing was sent.", do="Close this tab and choose Download again.")
