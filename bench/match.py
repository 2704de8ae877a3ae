"""How long do evidence and proposals take inside the database, against DuckDB that loads, joins and writes the same?

    python -m bench.match [--customers 100000] [--database postgresql://…]

The data is `bench.market`: as many CRM accounts as customers, three contacts an account. Both sides make the evidence
index from contacts and accounts and then one proposal a customer, into empty tables of a file; the rows must be equal.
DuckDB first loads the facts from Parquet files, ours already has them. Both follow the plain rules. Beside it: what the
guards add, what the same takes when nothing changed, the grid's rows, and what the mappings of everything certain take
with their decisions and evidence, in full durability. Before that 100 contacts change in the CRM, several times: the
CRM sync reads them, proposals and grid rows are brought up to date, and all of it must equal a full rebuild. That is
done twice, with the database's files as they happen to be in the machine's memory, and after they were read.
Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.changes import CHANGED, Changes, contents, rebuild
from bench.made_up import NOW, new_store, read_files
from bench.market import Market, fill_market, keep_policy
from bench.peer import load_join_write, read_proposals, save_facts
from w365.model import Guard, MatchPolicy, RunKind, RunState
from w365.store import tables as t
from w365.store.db.engine import Store
from w365.store.deciding.decisions import auto_match
from w365.store.matching.account_domains import fold_all
from w365.store.matching.proposals import refresh_proposals
from w365.store.matching.refresh_derived import refresh_with_rivals

POLICY = MatchPolicy(auto_match=True)
ROUNDS = 15


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--database", default="", help="a PostgreSQL server to make a database in (default: SQLite)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = new_store(options.database, folder, "match")
        print(json.dumps(measure(store, folder, options.customers), indent=1))


def measure(store: Store, folder: Path, customers: int) -> dict[str, Any]:
    market = Market(customers)
    fill_market(store, market, POLICY)
    keep_policy(store, POLICY)
    facts, seconds = save_facts(store, folder), dict[str, float]()
    peer = folder / "peer.duckdb"
    timed(seconds, "duckdb: load, join, write", lambda: load_join_write(facts, peer))
    empty(store, t.AccountDomain, t.CurrentProposal)
    read_files(store)  # DuckDB's were just written
    timed(seconds, "ours: evidence index", lambda: written(store, fold_all))
    timed(
        seconds,
        "ours: proposals",
        lambda: written(store, lambda connection: refresh_proposals(connection, POLICY, None)),
    )
    found = proposals(store)
    assert found == read_proposals(peer)
    certain = sum(kind == "one" for _, kind, *_ in found)
    del found
    timed(seconds, "ours: nothing changed, with grid rows", lambda: written(store, settle_all))
    timed(seconds, "ours: proposals with guards", lambda: written(store, propose_guarded))
    timed(seconds, "ours: proposals without them again", lambda: written(store, settle_all))
    changes = Changes(store, folder, market)
    store.tidy()
    as_it_is = rounds(changes)
    read_files(store)
    in_memory = rounds(changes)
    kept_up = contents(store)
    rebuild(store)
    assert kept_up == contents(store)
    del kept_up
    timed(seconds, "ours: mappings, decisions, evidence, grid rows", lambda: written(store, map_all))
    both = seconds["ours: evidence index"] + seconds["ours: proposals"]
    return {
        "database": store.engine.dialect.name,
        "customers": customers,
        "certain": certain,
        "seconds": seconds,
        "ours / duckdb": round(both / seconds["duckdb: load, join, write"], 2),
        f"{CHANGED} changed contacts": as_it_is,
        f"{CHANGED} changed contacts, files in memory": in_memory,
    }


def rounds(changes: Changes) -> dict[str, Any]:
    """Milliseconds of several rounds, and beside them those in which SQLite's log is moved into the file."""
    spent = zip(*(changes.some() for _ in range(ROUNDS)), strict=True)
    milliseconds, tidying = ([round(one * 1000) for one in seconds] for seconds in spent)
    return {"ms": milliseconds, "median": statistics.median(milliseconds), "log moved afterwards, ms": tidying}


def timed(seconds: dict[str, float], name: str, work: Callable[[], Any]) -> Any:
    begin = time.perf_counter()
    answer = work()
    seconds[name] = round(time.perf_counter() - begin, 3)
    return answer


def written(store: Store, work: Callable[[sa.Connection], None]) -> None:
    with store.write() as connection:
        work(connection)


def empty(store: Store, *tables: type[t.Base]) -> None:
    with store.write() as connection:
        for table in tables:  # what PostgreSQL deletes would lie in the way of what comes
            connection.execute(sa.delete(table) if store.is_sqlite else sa.text(f"TRUNCATE {table.__tablename__}"))


def proposals(store: Store) -> list[tuple[Any, ...]]:
    table = t.CurrentProposal.__table__
    with store.read() as connection:
        return [tuple(row) for row in connection.execute(sa.select(table).order_by(table.c.provider_account_id))]


def propose_guarded(connection: sa.Connection) -> None:
    refresh_proposals(connection, replace(POLICY, guards=frozenset(Guard)), None)


def settle_all(connection: sa.Connection) -> None:
    refresh_with_rivals(connection, POLICY, None)


def map_all(connection: sa.Connection) -> None:
    values = {"kind": RunKind.MATCH, "target": "all", "state": RunState.RUNNING, "actor": "bench"}
    run = connection.execute(sa.insert(t.Run).values(**values, requested_at=NOW, result={}).returning(t.Run.id))
    auto_match(connection, POLICY, run.scalar_one(), "bench", NOW)
    settle_all(connection)


if __name__ == "__main__":
    main()
