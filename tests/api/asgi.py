"""One request through a piece of the frame, to an app that notes what it was brought and answers as told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from event_loop import run_apart
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """``brought`` are the cookies that reached the app."""

    headers: list[tuple[str, str]]
    brought: str

    @property
    def cookies(self) -> list[str]:
        return [value for name, value in self.headers if name == "set-cookie"]

    @property
    def location(self) -> str:
        return dict(self.headers).get("location", "")


def answer_of(
    around: Callable[[ASGIApp], ASGIApp],
    path: str,
    cookies: Sequence[str] = (),
    *,
    headers: Headers = (),
    answers: Headers = (),
    scheme: str = "http",
) -> Answer:
    brought: list[str] = []
    sent: list[Message] = []

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        brought.extend(value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie")
        await send({"type": "http.response.start", "status": 304, "headers": _raw(answers)})

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    place, _, query = path.partition("?")
    came = _raw([*headers, *(("cookie", cookie) for cookie in cookies)])
    scope = {"type": "http", "method": "GET", "path": place, "query_string": query.encode(), "scheme": scheme}
    run_apart(around(app)(scope | {"headers": came}, receive, send))
    return Answer([(name.decode(), value.decode("latin-1")) for name, value in sent[0]["headers"]], "; ".join(brought))


def _raw(headers: Headers) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode("utf-8")) for name, value in headers]
