"""Files that are sent while they are made: so many at a time, and only as long as somebody reads them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import copy_context

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from w365.api.browsers import COOKIE
from w365.api.download_links import redeem
from w365.api.growing_file import GrowingFile
from w365.api.half_open import hang_up
from w365.errors import StoreError
from w365.service import Service
from w365.service.exporting import MEDIA_TYPES, name_file, write_requested

MOST_AT_ONCE = 8
"""How many files may be on their way at a time."""

_WAIT_SECONDS = 60.0
_READ_SECONDS = 60.0
"""In which a reader takes the next quarter of a megabyte, or is given up."""


class Places:
    """So many files may be under way at a time: what they take of disk and processor is bounded. Others wait."""

    def __init__(self, number: int = MOST_AT_ONCE, wait_seconds: float = _WAIT_SECONDS) -> None:
        self._free, self._wait_seconds = asyncio.Semaphore(number), wait_seconds

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._free.acquire()
        except TimeoutError:
            raise StoreError(
                "Too many files are being downloaded at this moment.",
                kept="Nothing was sent, and the link can still be used.",
                do="Reload this tab in a minute.",
            ) from None
        try:
            yield
        finally:
            self._free.release()


PLACES = Places()


class Download(Response):
    """Sends a file while it is made, and gives its place and its space back however that ends."""

    def __init__(
        self,
        file: GrowingFile,
        held: AsyncExitStack,
        media_type: str,
        headers: Mapping[str, str],
        read_seconds: float = _READ_SECONDS,
    ) -> None:
        super().__init__(media_type=media_type)
        self._answer = StreamingResponse(file.parts(), media_type=media_type, headers=headers)
        self._held, self._read_seconds = held, read_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_in_time(message: Message) -> None:
            try:
                async with asyncio.timeout(self._read_seconds):
                    await send(message)
            except TimeoutError:
                if not hang_up(receive):
                    raise
                await asyncio.Event().wait()  # the answer ends as soon as it is told that the connection did

        async with self._held:
            await self._answer(scope, receive, send_in_time)


async def send(
    service: Service, request: Request, places: Places = PLACES, read_seconds: float = _READ_SECONDS
) -> Download:
    """Make the file of a link and send it as it grows."""
    async with AsyncExitStack() as held:
        await held.enter_async_context(places.taken())
        name, cookie = request.path_params["name"], request.cookies.get(COOKIE, "")
        actor, file_request = await run_in_threadpool(redeem, service, name, cookie)
        file = GrowingFile()
        held.callback(file.discard)
        writer = threading.Thread(
            target=copy_context().run,
            args=(file.fill, lambda to: write_requested(service, actor, file_request, to)),
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
        return Download(file, held.pop_all(), MEDIA_TYPES[file_request.form], headers, read_seconds)
    raise AssertionError  # nothing here is silenced; for the type checker
