from __future__ import annotations

import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from w365.demo.servers import TENANT_ID


@contextmanager
def command(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    line = [sys.executable, "-m", "w365.demo", *arguments]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def until_ready(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line.strip())
        if lines[-1] == "# ready":
            break
    return lines


def test_the_settings_are_printed_as_shell_lines_and_sigterm_ends_it(tmp_path: Path) -> None:
    with command("--home", str(tmp_path), "--print-env") as process:
        lines = until_ready(process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    settings = dict(shlex.split(line)[1].split("=", 1) for line in lines[:-1])
    assert len(settings) == 17
    assert settings["W365_DATAVERSE_TENANT_ID"] == TENANT_ID
    assert Path(settings["W365_CA_BUNDLE"]).is_file()
    assert (tmp_path / "server.pem").stat().st_mode & 0o777 == 0o600


def test_it_ends_with_the_process_it_belongs_to(tmp_path: Path) -> None:
    with (
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as parent,
        command("--home", str(tmp_path), "--print-env", "--parent", str(parent.pid)) as process,
    ):
        until_ready(process)
        parent.kill()
        parent.wait()
        assert process.wait(timeout=30) == 0


def test_a_wrong_folder_ends_with_a_sentence(tmp_path: Path) -> None:
    with command("--data", str(tmp_path), "--home", str(tmp_path)) as process:
        _, message = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "has no file tenants.json" in message
    assert "Traceback" not in message
    assert not list(tmp_path.iterdir())
