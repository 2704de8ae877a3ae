"""What does a decision cost, of one cell and of many rows?

    python -m bench.decide [--rows 5000] [--bulk 20000] [--times 200] [--database postgresql://…] [--unique]

Prints the median milliseconds of mapping and of clearing one cell, by a person through the service: of this processor
and of the clock. Then the seconds of bulks on so many rows, from the preview to the last part, and of taking them
back. `--unique` decides under the policy that gives an account to one provider account only.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from bench.made_up import fill, new_store
from w365.config import Settings
from w365.jobs import execute_run
from w365.model import Actor, Role
from w365.service import Service
from w365.service.configuring import settings
from w365.service.deciding.bulk_preview import Selection, preview_bulk
from w365.service.deciding.bulk_run import confirm_plan
from w365.service.deciding.mapping import assign_account, clear_mapping
from w365.service.deciding.undo import Undoable, preview_undo
from w365.store import tables as t
from w365.store.db.engine import Store
from w365.store.reading.worklist import Filter
from w365.store.runs import RunView

ADMIN = Actor("bench", Role.ADMIN)

Taken = tuple[float, float]
"""Seconds of the processor, and of the clock."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000, help="provider accounts where a cell is saved")
    parser.add_argument("--bulk", type=int, default=20_000, help="provider accounts where all are changed; 0: none")
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--unique", action="store_true")
    parser.add_argument(
        "--database", default="", help="a PostgreSQL server to make databases in (default: SQLite files)"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cells = measure_cells(
            _service(new_store(options.database, Path(folder), "cells"), options.rows, is_unique=options.unique),
            options.rows,
            options.times,
        )
        store = new_store(options.database, Path(folder), "many") if options.bulk else None
        many = measure_bulk(_service(store, options.bulk, is_unique=options.unique)) if store else {}
    asked = {"rows": options.rows, "bulk": options.bulk, "database": options.database.partition(":")[0] or "sqlite"}
    print(json.dumps({**asked, "unique": options.unique, "cell_ms": cells, "bulk_s": many}, indent=1))


def measure_cells(service: Service, rows: int, times: int) -> dict[str, dict[str, float]]:
    """Map and clear rows that were never mapped, each to the account of its own domain."""
    mapped, cleared = [], []
    for number in range(times + 20):
        row = _open_row(number, rows)
        version = _version(service.store, row)
        mapped.append(_taken(lambda r=row, v=version: assign_account(service, ADMIN, r, r, seen=v)))
        version = _version(service.store, row)
        cleared.append(_taken(lambda r=row, v=version: clear_mapping(service, ADMIN, r, seen=v)))
    return {"map": _median(mapped[20:]), "clear": _median(cleared[20:])}


def _open_row(number: int, rows: int) -> int:
    """One of the rows that `fill` leaves open although there is an account with their domain."""
    return (number * 10) % (rows * 2 // 3 - 10) // 10 * 10 + 8


def measure_bulk(service: Service) -> dict[str, dict[str, float]]:
    """Clear what is mapped, set all of it aside, reopen it, and take each of them back."""
    found = {}
    for name, detail in (("unmap", {}), ("exclude", {"reason": "bench"}), ("accept", {"score": 0.5})):
        if name == "accept":
            _suggest_own(service.store)
        run, found[name] = _bulk(service, name, detail)
        found[f"undo {name}"] = _undo(service, run)
    return found


def _bulk(service: Service, action: str, detail: dict[str, object]) -> tuple[RunView, dict[str, float]]:
    everything = Selection(criteria=Filter())
    return _confirmed(service, lambda: preview_bulk(service, ADMIN, everything, action, detail).plan.id)


def _undo(service: Service, run: RunView) -> dict[str, float]:
    return _confirmed(service, lambda: preview_undo(service, ADMIN, Undoable(run_id=run.id)).plan.id)[1]


def _confirmed(service: Service, preview: Callable[[], int]) -> tuple[RunView, dict[str, float]]:
    begin, clock = time.process_time(), time.perf_counter()
    run = execute_run(service, confirm_plan(service, ADMIN, preview()))
    taken = time.process_time() - begin, time.perf_counter() - clock
    return run, {"processor": round(taken[0], 2), "clock": round(taken[1], 2), "rows": run.done}


def _suggest_own(store: Store) -> None:
    """Give every open row the account of its own domain as its candidate."""
    candidate, pa = t.CurrentCandidate, t.ProviderAccount
    columns = ["provider_account_id", "rank", "account_id", "score", "signals", "version"]
    values = (sa.literal(1), pa.id, sa.literal(0.9), sa.literal("[]", t.Json), sa.literal(0))
    is_open = pa.id.not_in(sa.select(t.Mapping.provider_account_id))
    rows = sa.select(pa.id, *values).where(is_open, pa.id.in_(sa.select(t.Account.id)))
    with store.write() as connection:
        connection.execute(sa.delete(candidate))
        connection.execute(sa.insert(candidate).from_select(columns, rows))


def _taken(work: Callable[[], object]) -> Taken:
    begin, clock = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - begin, time.perf_counter() - clock


def _median(taken: list[Taken]) -> dict[str, float]:
    processor, clock = (round(statistics.median(one) * 1000, 2) for one in zip(*taken, strict=True))
    return {"processor": processor, "clock": clock}


def _version(store: Store, row: int) -> int:
    with store.read() as connection:
        work = t.Worklist
        return int(connection.execute(sa.select(work.version).where(work.provider_account_id == row)).scalar_one())


def _service(store: Store, rows: int, *, is_unique: bool) -> Service:
    fill(store, rows)
    made = Service(store, Settings(Path(), "", "", None, None, is_demo=False), _closed, _closed)
    if is_unique:
        settings.set_setting(made, ADMIN, "cardinality", "unique")
    return made


def _closed(*_: object) -> None:
    raise NotImplementedError("no connection in this bench")


if __name__ == "__main__":
    main()
