"""The real app as a process of its own, on a free port, in a folder of its own."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from w365.model import RunKind, RunState
from w365.service import Service
from w365.service.access import local_user
from w365.service.syncing.runs import list_runs

ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 40


@contextmanager
def running_app(home: Path, settings: Mapping[str, str], port: int = 0, base: str = "") -> Iterator[str]:
    """Run `streamlit run app.py` with these settings until the block ends; give its address. Port 0: a free one.

    ``base`` is a base path, as "/w365".
    """
    port = port or free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("W365_")}
    environment |= {"W365_HOME": str(home), **settings}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    command += ["--server.baseUrlPath", base]
    home.mkdir(parents=True, exist_ok=True)
    with (home / "app.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            _wait_until_up(process, port, base, home / "app.log")
            yield f"http://127.0.0.1:{port}{base}"
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_up(process: subprocess.Popen[bytes], port: int, base: str, log: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise AssertionError(f"The app ended at once:\n{log.read_text()}")
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            connection.request("GET", f"{base}/_stcore/health")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise AssertionError(f"The app did not answer within {_START_SECONDS} s:\n{log.read_text()}")


def free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


def wait_until(happened: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until something that no event tells of has happened."""
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, f"not within {seconds} s"
        time.sleep(0.05)


def wait_until_synced(service: Service, seconds: float = 60) -> None:
    """Wait until no run is under way and the first syncs and a match after them are done."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        runs = list_runs(service, local_user())
        done = {run.kind for run in runs if run.state is RunState.DONE}
        if done >= {RunKind.SYNC, RunKind.CRM_SYNC, RunKind.MATCH} and not any(run.is_active for run in runs):
            return
        time.sleep(0.2)
    raise AssertionError(f"not synced within {seconds} s: {[(run.kind, run.state, run.error) for run in runs]}")
