"""``python -m w365.demo``: serve until stopped."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from w365.demo.servers import Servers, serve
from w365.demo.world import World
from w365.errors import W365Error
from w365.own_files import narrow


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until stopped. Gives the exit status."""
    options = _make_parser().parse_args(arguments)
    try:
        with ExitStack() as stack:
            home = options.home or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="w365-demo-")))
            printed: dict[str, str] | None = {} if options.print_env else None
            serve_until_stopped(
                options.data, home, printed=printed, parent=options.parent, calls_per_minute=options.calls_per_minute
            )
    except W365Error as error:
        print(error, file=sys.stderr)  # noqa: T201 - this is a command
        return 1
    return 0


def serve_until_stopped(
    data: Path | None,
    home: Path,
    *,
    printed: Mapping[str, str] | None,
    parent: int | None = None,
    calls_per_minute: int = 0,
) -> None:
    """Serve a data folder, or the fictional world, until SIGTERM, SIGINT, or the end of the process ``parent``.

    With ``printed``, the settings of a client and those added are printed as lines for a shell.
    """
    for sentence in narrow(home):
        print(sentence, file=sys.stderr)  # noqa: T201 - this is a command
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with serve(_read_world(data), home=home, calls_per_minute=calls_per_minute) as servers:
        _print_settings(servers, printed)
        while not stop.wait(0.25) and _is_alive(parent):
            pass


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m w365.demo", description=__doc__)
    parser.add_argument("--data", type=Path, help="a data folder to serve instead of the fictional customers")
    parser.add_argument("--home", type=Path, help="where certificates and changes are kept (default: a passing folder)")
    parser.add_argument("--calls-per-minute", type=int, default=0, help="Partner Center's limit (default: none)")
    parser.add_argument("--parent", type=int, help="stop when this process is gone")
    parser.add_argument("--print-env", action="store_true", help="print the settings of a client as shell lines")
    return parser


def _read_world(data: Path | None) -> World:
    # Each world's module is read only when it is wanted: the start is waited for.
    if data is not None:
        from w365.demo.world.folder import read_folder

        return read_folder(data)
    from w365.demo.world.fiction import fictional_world

    return fictional_world()


def _print_settings(servers: Servers, printed: Mapping[str, str] | None) -> None:
    if printed is None:
        lines = [f"{name:15} {url}" for name, url in servers.urls.items()]
        lines.append("Serving until stopped.")
    else:
        settings = {**servers.environment(), **printed}
        lines = [f"export {name}={shlex.quote(value)}" for name, value in settings.items()]
        lines.append("# ready")
    print("\n".join(lines), flush=True)  # noqa: T201 - this is a command


def _is_alive(pid: int | None) -> bool:
    if pid is None or os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if __name__ == "__main__":
    sys.exit(main())
