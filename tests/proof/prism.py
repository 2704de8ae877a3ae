"""Prism, a validating proxy by Stoplight: installed once from npm into the user's cache, run for one specification."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from npm import installed_from_npm

VERSION = "5.16.0"
_START_SECONDS = 40.0


def installed_prism() -> Path:
    """Return Prism's program. Skips only where npm or its registry cannot be reached."""
    return installed_from_npm("@stoplight/prism-cli", VERSION) / "node_modules" / ".bin" / "prism"


@contextmanager
def prism(specification: Mapping[str, Any], upstream: str, folder: Path) -> Iterator[str]:
    """Run Prism before ``upstream`` and give its address. It hands everything on and names violations in a header."""
    document = folder / "specification.json"
    document.write_text(json.dumps(specification))
    log = folder / "prism.log"
    port = _free_port()
    command = [str(installed_prism()), "proxy", "-h", "127.0.0.1", "-p", str(port), str(document), upstream]
    quiet = {**os.environ, "NO_COLOR": "1"}
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output, env=quiet) as process:
        try:
            _wait(process, port, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"Prism did not start: {log.read_text()}")
