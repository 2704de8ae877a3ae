"""Does the grid stay as quick at 500,000 provider accounts as at 5,000?

    python -m bench.grid [--rows 500000] [--database postgresql://…]

Prints for each question the median milliseconds at both sizes and their ratio: first and deep blocks of every sort, the
counts of the facets, searches, and one decision with all that it settles.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.made_up import fill, new_store
from w365.config import Settings
from w365.model import Actor, Role, Status
from w365.service import Service
from w365.service.deciding.mapping import assign_account, clear_mapping
from w365.service.reading.account_lookup import search_accounts
from w365.store.db.engine import Store
from w365.store.reading.row_counts import count_rows, count_statuses
from w365.store.reading.worklist import Filter, Sort, list_ids, read_rows

SMALL = 5_000
BLOCK = 200
ANALYST = Actor("bench", Role.ADMIN)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument(
        "--database", default="", help="a PostgreSQL server to make databases in (default: SQLite files)"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        small = measure(new_store(options.database, Path(folder), "small"), SMALL)
        large = measure(new_store(options.database, Path(folder), "large"), options.rows)
    answer = {
        name: {
            "small_ms": small[name],
            "large_ms": large[name],
            "ratio": round(large[name] / max(small[name], 0.01), 1),
        }
        for name in small
    }
    print(
        json.dumps(
            {"rows": [SMALL, options.rows], "database": options.database or "sqlite", "questions": answer}, indent=1
        )
    )


def measure(store: Store, rows: int) -> dict[str, float]:
    fill(store, rows)
    found = {}
    for sort in Sort:
        for name, start in (("first", 0), ("deep", rows * 9 // 10)):
            found[f"{sort} {name}"] = median_ms(lambda s=sort, at=start: block(store, Filter(), s, at))
        found[f"{sort} descending"] = median_ms(lambda s=sort: block(store, Filter(), s, 0, descending=True))
    unmapped = Filter(statuses=(Status.UNMAPPED,))
    for sort in Sort:
        found[f"unmapped by {sort} deep"] = median_ms(lambda s=sort: block(store, unmapped, s, rows // 5))
    found["count unmapped"] = median_ms(lambda: count(store, unmapped))
    found["count all"] = median_ms(lambda: count(store, Filter()))
    found["facets"] = median_ms(lambda: facets(store))
    for text in ("a", "amber", "amber falcon", "amber-77", "zzz"):
        found[f"search “{text}”"] = median_ms(lambda x=text: block(store, Filter(text=x), Sort.NAME, 0))
        found[f"count “{text}”"] = median_ms(lambda x=text: count(store, Filter(text=x)))
    service = Service(store, _settings(), _closed, _closed)
    for text in ("am", "amber fal", "A77"):
        found[f"lookup “{text}”"] = median_ms(lambda x=text: search_accounts(service, ANALYST, x))
    found["map and clear"] = median_ms(lambda: decide(service, rows - 1))
    return found


def block(store: Store, wanted: Filter, sort: Sort, start: int, *, descending: bool = False) -> None:
    with store.read() as connection:
        read_rows(connection, list_ids(connection, wanted, sort, descending=descending, start=start, limit=BLOCK))


def count(store: Store, wanted: Filter) -> None:
    with store.read() as connection:
        count_rows(connection, wanted)


def facets(store: Store) -> None:
    with store.read() as connection:
        count_statuses(connection)


def decide(service: Service, row_id: int) -> None:
    with service.store.read() as connection:
        seen = read_rows(connection, [row_id])[0].version
    done = assign_account(service, ANALYST, row_id, 5, seen=seen)
    clear_mapping(service, ANALYST, row_id, seen=done.decision_id)


def median_ms(work: Callable[[], object], times: int = 5) -> float:
    work()
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        taken.append((time.perf_counter() - begin) * 1000)
    return round(statistics.median(taken), 2)


def _settings() -> Settings:
    return Settings(Path(), "", "", None, None, is_demo=False)


def _closed(*_: object) -> None:
    raise NotImplementedError("no connection in this bench")


if __name__ == "__main__":
    main()
