"""Start the processes beside this one: the demo's servers where no connection is set, and the worker."""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from w365.addresses import ALLOW
from w365.config import DEMO_SERVED, Settings, data_folder, load_settings, own_secret_key
from w365.errors import ConfigurationError
from w365.own_files import narrow

_STOP_SECONDS = 10


def app_folder() -> Path:
    """Where `app.py` is with its pages: in the installed package, or beside it in a clone."""
    package = Path(__file__).resolve().parent
    return package / "app" if (package / "app").is_dir() else package.parent


def become_app(arguments: Sequence[str]) -> NoReturn:
    """Turn this process into the app's, as `streamlit run` would start it with these arguments."""
    command = [sys.executable, "-m", "streamlit", "run", str(app_folder() / "app.py"), *arguments]
    os.execv(command[0], command)  # noqa: S606 - our own script


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Settings with working connections, and the environment that gives a child process the same.

    `demo` is the process of the demo's servers where they were started here.
    """

    settings: Settings
    environment: Mapping[str, str]
    demo: subprocess.Popen[str] | None = None


@contextmanager
def connected(settings: Settings) -> Iterator[Surroundings]:
    """Give settings whose connections lead somewhere: as they are, or for the demo those of servers started here."""
    if not settings.is_demo or os.environ.get(DEMO_SERVED) == "1":
        yield Surroundings(settings, dict(os.environ))
        return
    command = [
        sys.executable,
        "-m",
        "w365.demo",
        "--print-env",
        "--home",
        str(settings.home),
        "--parent",
        str(os.getpid()),
    ]
    with _child(command, dict(os.environ), stdout=subprocess.PIPE) as process:
        # What these servers need beyond public addresses the demo has anyway; nothing else gets it with them.
        own = {DEMO_SERVED: "1", ALLOW: os.environ.get(ALLOW, "")}
        environment = {**os.environ, **_printed_environment(process), **own}
        yield Surroundings(load_settings(environment), environment, process)


def serve_demo(environment: Mapping[str, str], data: Path | None, *, print_env: bool) -> None:
    """Become the demo's servers until stopped.

    With `print_env`, first print the settings that connect a client to them, each as a line for a shell, and `# ready`.
    A database and a key that the environment names are kept; otherwise they are the demo's own.
    """
    from w365.demo.__main__ import serve_until_stopped

    home = data_folder(environment.get("W365_HOME"))
    narrow(home)
    home /= "demo" if data is None else f"demo-{hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:12]}"
    own = {
        "W365_DATABASE_URL": environment.get("W365_DATABASE_URL") or f"sqlite:///{home / 'w365.db'}",
        "W365_SECRET_KEY": environment.get("W365_SECRET_KEY") or own_secret_key(home),
    }
    serve_until_stopped(data, home, printed=own if print_env else None)


@contextmanager
def worker(surroundings: Surroundings) -> Iterator[subprocess.Popen[str] | None]:
    """Run a worker beside this process for as long as the block lasts; none where the settings leave that to others."""
    if not surroundings.settings.starts_worker:
        yield None
        return
    command = [sys.executable, "-m", "w365", "worker", "--parent", str(os.getpid())]
    with _child(command, surroundings.environment) as process:
        yield process


@contextmanager
def _child(
    command: list[str], environment: Mapping[str, str], stdout: int | None = None
) -> Iterator[subprocess.Popen[str]]:
    # This package is found by the child wherever the app was started from.
    path = os.pathsep.join(filter(None, (str(Path(__file__).parents[1]), environment.get("PYTHONPATH"))))
    whole = {**environment, "PYTHONPATH": path}
    process = subprocess.Popen(command, env=whole, stdout=stdout, text=True)  # noqa: S603 - our own modules
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()


def _printed_environment(process: subprocess.Popen[str]) -> dict[str, str]:
    """Read `export NAME=value` lines up to `# ready`."""
    variables: dict[str, str] = {}
    assert process.stdout is not None  # noqa: S101 - it was asked for
    for line in process.stdout:
        if line.startswith("# ready"):
            return variables
        words = shlex.split(line, comments=True)
        if len(words) == 2 and words[0] == "export":
            name, _, value = words[1].partition("=")
            variables[name] = value
    raise ConfigurationError("The demo did not start.", do="Look at what it printed above; check the data folder.")
