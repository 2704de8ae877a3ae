"""Do the app's doors hold? Tries to get in from foreign pages, past the address, without a sign-in.

    python -m bench.doors [--open]

Starts `streamlit run app.py` on its demo, knocks with real requests and a real websocket client, and prints a table of
attempts and answers; the status is 1 where an attempt got in, or where one that must be let in was not. `--open` starts
the same app without its doors, where every attempt that only they hold gets in: that is how the list is proven.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from bench.door_attempts import STARTS, STREAMLIT, VISITS, Attempt, Knock, Start, Stream
from w365.api import tokens
from w365.api.browsers import name_browser
from w365.api.door_rules import REFUSALS
from w365.model import Actor, Role

ROOT = Path(__file__).parents[1]
START_SECONDS = 60
KEY = "the key of this bench alone"
OPEN_APP = """
import streamlit as st
from w365.api.doors import Doors
from w365.api.routes import routes
from w365.ui.frame import app_runtime
from w365.ui.server.security import middleware

open_ones = [each for each in middleware if each.cls is not Doors]
app = st.App({main!r}, routes=routes(app_runtime.service), middleware=open_ones, lifespan=app_runtime.lifespan)
"""


@dataclass(frozen=True)
class Target:
    """The running app; ``token`` is a stolen one of an admin, ``cookie`` one that the app gave."""

    port: int
    token: str
    cookie: str


@dataclass(frozen=True)
class Outcome:
    attempt: Attempt
    answer: str
    got_in: bool

    @property
    def held(self) -> bool:
        """Whether the doors did what they are for: kept it out, or let in what may enter."""
        return self.got_in == self.attempt.may_enter


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--open", action="store_true", help="without the doors")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        outcomes = list(try_all(Path(name), has_doors=not options.open))
    for outcome in outcomes:
        print(f"{outcome.attempt.name:62} {outcome.answer:64} {'held' if outcome.held else 'FELL'}")
    fallen = [outcome for outcome in outcomes if not outcome.held]
    print(f"{len(outcomes)} attempts, {len(fallen)} not held")
    sys.exit(bool(fallen))


def try_all(
    home: Path, attempts: Sequence[Attempt] = (*VISITS, *STARTS), *, has_doors: bool = True
) -> Iterator[Outcome]:
    app = ROOT / "app.py" if has_doors else home / "open_app.py"
    if not has_doors:
        app.write_text(OPEN_APP.format(main=str(ROOT / "w365/ui/main.py")), encoding="utf-8")
    with running(app, home) as target:
        yield from (_try(attempt, target) for attempt in attempts if not isinstance(attempt, Start))
    for number, attempt in enumerate(attempt for attempt in attempts if isinstance(attempt, Start)):
        yield _start(attempt, app, home / str(number))


def _try(attempt: Knock | Stream, target: Target) -> Outcome:
    return _knock(attempt, target) if isinstance(attempt, Knock) else _stream(attempt, target)


def _fill(text: str, target: Target) -> str:
    for name in ("port", "token", "cookie"):
        text = text.replace(f"{{{name}}}", str(getattr(target, name)))
    return text


# --- requests ---

_REFUSED = {*(refusal.sentence for refusal in REFUSALS), "Invalid HTTP request received.", "Bad Request"}


def _knock(knock: Knock, target: Target) -> Outcome:
    """Send the request byte for byte; it got in where neither the doors nor the server refuse it."""
    lines = [
        f"{knock.line} HTTP/1.1",
        *knock.headers,
        f"Content-Length: {len(knock.body)}",
        "Connection: close",
        "",
        "",
    ]
    with socket.create_connection(("127.0.0.1", target.port), timeout=20) as client:
        client.sendall((_fill("\r\n".join(lines), target) + knock.body).encode("latin-1"))
        with http.client.HTTPResponse(client) as answer:
            answer.begin()
            text = answer.read().decode("utf-8", "replace")
    return Outcome(knock, f"{answer.status} {' '.join(text.split())[:60]}", got_in=text not in _REFUSED)


# --- websockets ---


def _stream(stream: Stream, target: Target) -> Outcome:
    host, origin = _fill(stream.host, target), stream.origin and _fill(stream.origin, target)
    try:
        with (
            socket.create_connection(("127.0.0.1", target.port), timeout=20) as client,
            connect(
                f"ws://{host}{stream.path}",
                sock=client,
                origin=origin,  # type: ignore[arg-type] - a name of the type alone
                additional_headers={name: _fill(value, target) for name, value in stream.headers.items()},
                subprotocols=["streamlit"],  # type: ignore[list-item] - likewise
                compression=None,
                proxy=None,
                max_size=None,
            ) as opened,
        ):
            return Outcome(stream, f"open, {_steal(opened, target)}", got_in=True)
    except InvalidStatus as error:
        return Outcome(stream, f"closed before it was open: {error.response.status_code}", got_in=False)


def _steal(opened: ClientConnection, target: Target) -> str:
    """Open the page with the grid, take the token out of what arrives, and ask for rows with it."""
    begin = BackMsg()
    begin.rerun_script.page_name = "provider_accounts"
    opened.send(begin.SerializeToString())
    until = time.monotonic() + START_SECONDS
    try:
        while time.monotonic() < until:
            message = opened.recv(timeout=START_SECONDS)
            if isinstance(message, bytes) and (token := re.search(rb'"token": ?"([^"]+)"', message)):
                return f"token read, rows {_status(target.port, '/api/rows', {tokens.HEADER: token[1].decode()})}"
    except (ConnectionClosed, TimeoutError) as error:
        return f"no token: {error}"
    return "no token"


# --- starts ---


@contextmanager
def running(app: Path, home: Path) -> Iterator[Target]:
    """The app on its demo, on a free port of 127.0.0.1."""
    port = _free_port()
    command = STREAMLIT.format(app=app, port=port) + " --server.address 127.0.0.1"
    with _process(command, home, {"W365_SECRET_KEY": KEY}) as process:
        if _wait(process, port) is not None:
            raise SystemExit(f"The app ended at once: {(home / 'log').read_text('utf-8')[-500:]}")
        cookie = name_browser([KEY])
        yield Target(port, tokens.mint_token(KEY, Actor("thief", Role.ADMIN), tokens.browser_of(cookie)), cookie)


def _start(start: Start, app: Path, home: Path) -> Outcome:
    port = _free_port()
    command = start.command.format(app=app, module=f"{app.stem}:app", port=port, home=home)
    path = {"PYTHONPATH": os.pathsep.join((str(app.parent), str(ROOT)))}
    with _process(command, home, {**path, **start.environment}) as process:
        status = _wait(process, port, home / "socket")
    if status is None:
        return Outcome(start, "it serves", got_in=True)
    said = re.search(r"^.*Nothing was started.*$", (home / "log").read_text("utf-8"), re.MULTILINE)
    return Outcome(start, f"ended with {status}: {said[0] if said else 'without a word'}"[:64], status == 0 or not said)


@contextmanager
def _process(command: str, home: Path, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    home.mkdir(exist_ok=True)
    own = {name: value for name, value in os.environ.items() if not name.startswith(("W365_", "STREAMLIT_"))}
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command.split()],
            cwd=ROOT,
            env={**own, "PYTHONPATH": str(ROOT), "W365_HOME": str(home), **environment},
            stdout=log,
            stderr=log,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, socket_path: Path | None = None) -> int | None:
    """Wait until the app serves (None) or ends (its status)."""
    until = time.monotonic() + START_SECONDS
    for _ in itertools.count():
        if (status := process.poll()) is not None:
            return status
        if _status(port, "/_stcore/health", {}) == 200 or (socket_path and socket_path.exists()):
            return None
        if time.monotonic() > until:
            raise SystemExit(f"The app neither served nor ended within {START_SECONDS} s.")
        time.sleep(0.1)
    return None


def _status(port: int, path: str, headers: Mapping[str, str]) -> int:
    """The status of an answer; 0 where nobody listens."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        try:
            connection.request("GET", path, headers=dict(headers))
            with connection.getresponse() as answer:
                return answer.status
        except OSError:
            return 0


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


if __name__ == "__main__":
    main()
