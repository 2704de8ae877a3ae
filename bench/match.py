"""How long does the whole match take, against pandas.merge and DuckDB on the same data?

    python -m bench.match [--customers 100000]

Ours reads and writes a SQLite file with full durability: proposals and grid rows for every customer, then mappings,
decisions and evidence for what is certain. The peers compute the same proposals from frames in memory; DuckDB also
writes them to a file. All must find the same customers. Prints seconds, and ratios to each peer, as JSON.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import sqlalchemy as sa

from bench.made_up import NOW, fill, open_empty, sqlite_url
from w365.model import MatchPolicy, Proposal, RunKind, RunState
from w365.store import tables as t
from w365.store.engine import Store
from w365.store.matcher import auto_match, propose
from w365.store.worklist import settle

POLICY = MatchPolicy(auto_match=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = open_empty(sqlite_url(folder, "w365.db"))
        fill(store, options.customers)
        _forget_decisions(store)
        customers, accounts = _frames(store)
        seconds: dict[str, float] = {}
        found = {
            "pandas.merge": timed(seconds, "pandas.merge", lambda: by_pandas(customers, accounts)),
            "duckdb": timed(seconds, "duckdb", lambda: by_duckdb(customers, accounts, folder / "peer.duckdb")),
            "ours": timed(seconds, "ours: proposals", lambda: ours(store)),
        }
        timed(seconds, "ours: proposals and grid rows, nothing changed", lambda: settled(store))
        mapped = timed(seconds, "ours: mappings, decisions, evidence, grid rows", lambda: map_all(store))
    assert found["ours"] == found["pandas.merge"] == found["duckdb"] == mapped, (found, mapped)
    ratios = {peer: round(seconds["ours: proposals"] / seconds[peer], 2) for peer in ("pandas.merge", "duckdb")}
    print(
        json.dumps(
            {"customers": options.customers, "certain": mapped, "seconds": seconds, "ours / peer": ratios}, indent=1
        )
    )


def timed(seconds: dict[str, float], name: str, work: Callable[[], int]) -> int:
    begin = time.perf_counter()
    answer = work()
    seconds[name] = round(time.perf_counter() - begin, 3)
    return answer


def ours(store: Store) -> int:
    with store.write() as connection:
        connection.execute(sa.delete(t.CurrentProposal))
    with store.write() as connection:
        propose(connection, POLICY, None)
        query = sa.select(sa.func.count()).where(t.CurrentProposal.kind == Proposal.ONE)
        return connection.scalar(query) or 0


def settled(store: Store) -> int:
    with store.write() as connection:
        settle(connection, POLICY, None)
    return 0


def map_all(store: Store) -> int:
    with store.write() as connection:
        values = {"id": 1, "kind": RunKind.MATCH, "target": "all", "state": RunState.RUNNING, "actor": "bench"}
        connection.execute(sa.insert(t.Run).values(**values, requested_at=NOW, result={}))
        mapped = auto_match(connection, POLICY, 1, "bench", NOW)
        settle(connection, POLICY, None)
    return mapped


def by_pandas(customers: pd.DataFrame, accounts: pd.DataFrame) -> int:
    pairs = customers.merge(accounts, on="domain").drop_duplicates(["customer", "account"])
    return int((pairs.groupby("customer").size() == 1).sum())


def by_duckdb(customers: pd.DataFrame, accounts: pd.DataFrame, path: Path) -> int:
    with duckdb.connect(str(path)) as connection:
        connection.register("customers", customers)
        connection.register("accounts", accounts)
        connection.execute(
            "CREATE TABLE proposal AS SELECT customer, min(account) AS account, count(DISTINCT account) AS accounts "
            "FROM customers JOIN accounts USING (domain) GROUP BY customer"
        )
        row: Any = connection.execute("SELECT count(*) FROM proposal WHERE accounts = 1").fetchone()
        return int(row[0])


def _frames(store: Store) -> tuple[pd.DataFrame, pd.DataFrame]:
    pad, ad = t.ProviderAccountDomain, t.AccountDomain
    with store.read() as connection:
        mine = connection.execute(sa.select(pad.provider_account_id, pad.domain)).all()
        theirs = connection.execute(sa.select(ad.account_id, ad.domain)).all()
    return pd.DataFrame(mine, columns=["customer", "domain"]), pd.DataFrame(theirs, columns=["account", "domain"])


def _forget_decisions(store: Store) -> None:
    with store.write() as connection:
        for table in (t.Mapping, t.Decision, t.CurrentProposal):
            connection.execute(sa.delete(table))
        settle(connection, POLICY, None)


if __name__ == "__main__":
    main()
