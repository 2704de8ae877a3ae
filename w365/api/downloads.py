"""Links to files: each is for the browser that asked, works once, and only for a few minutes.

They are kept in the memory of this process, which made them: a browser stays with its replica, and a restart ends them.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from time import monotonic

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from w365.api.browsers import COOKIE
from w365.api.growing_file import GrowingFile
from w365.errors import AccessError, StoreError
from w365.model import Actor
from w365.service import Service
from w365.service.exporting import MEDIA_TYPES, FileRequest, name_file, write_requested

SECONDS = 300
_MOST = 10_000

MOST_AT_ONCE = 8
"""How many files may be on their way at a time."""


@dataclass(frozen=True, slots=True)
class _Ticket:
    actor: Actor
    file_request: FileRequest
    browser: str
    until: float


class Tickets:
    """What was asked for and not fetched yet, by the random name that stands in the link."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._open: dict[str, _Ticket] = {}

    def issue(self, actor: Actor, file_request: FileRequest, browser: str) -> str:
        """Keep what is wanted and return the link to it, for this browser alone."""
        now, name = self._clock(), secrets.token_urlsafe(32)
        with self._lock:
            self._open = {key: one for key, one in self._open.items() if one.until > now}
            while len(self._open) >= _MOST:
                del self._open[next(iter(self._open))]
            self._open[name] = _Ticket(actor, file_request, browser, now + SECONDS)
        return f"/api/downloads/{name}"

    def redeem(self, name: str, browser: str) -> tuple[Actor, FileRequest]:
        """Take what a link stands for; AccessError when it was used, is too old or somebody else's."""
        with self._lock:
            ticket = self._open.get(name)
            if ticket is None or ticket.until <= self._clock():
                raise _refused("This link was used already, or is too old.")
            if not browser or not hmac.compare_digest(ticket.browser.encode(), browser.encode()):
                raise _refused("This link was made for another browser.")
            del self._open[name]
        return ticket.actor, ticket.file_request


TICKETS = Tickets()


class Places:
    """So many files may be under way at a time: what they take of disk and processor is bounded."""

    def __init__(self, number: int = MOST_AT_ONCE) -> None:
        self._free = threading.BoundedSemaphore(number)

    @contextmanager
    def taken(self) -> Iterator[None]:
        if not self._free.acquire(blocking=False):
            raise StoreError(
                "Too many files are being downloaded at this moment.",
                kept="Nothing was sent, and the link can still be used.",
                do="Reload this tab in a minute.",
            )
        try:
            yield
        finally:
            self._free.release()


PLACES = Places()


class Download(Response):
    """Sends a file while it is made, and gives its place and its space back however that ends."""

    def __init__(self, file: GrowingFile, held: ExitStack, media_type: str, headers: Mapping[str, str]) -> None:
        super().__init__(media_type=media_type)
        self._answer = StreamingResponse(file.parts(), media_type=media_type, headers=headers)
        self._file, self._held = file, held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._held:
            await self._answer(scope, receive, send)


async def send(service: Service, request: Request, tickets: Tickets = TICKETS, places: Places = PLACES) -> Download:
    """Make the file of a link and send it as it grows."""
    with ExitStack() as held:
        held.enter_context(places.taken())
        actor, file_request = tickets.redeem(request.path_params["name"], request.cookies.get(COOKIE, ""))
        file = GrowingFile()
        held.callback(file.discard)
        writer = threading.Thread(
            target=file.fill,
            args=(lambda to: write_requested(service, actor, file_request, to),),
            name="download",
            daemon=True,
        )
        writer.start()
        await run_in_threadpool(file.await_start)
        headers = {
            "Content-Disposition": f'attachment; filename="{name_file(service, file_request)}"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "X-Accel-Buffering": "no",  # a proxy that collects the answer first would let the person wait again
        }
        return Download(file, held.pop_all(), MEDIA_TYPES[file_request.form], headers)


def _refused(what: str) -> AccessError:
    return AccessError(what, kept="Nothing was sent.", do="Close this tab and choose Download again.")
