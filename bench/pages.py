"""What does it cost the app to switch to a page, to choose a facet, to open a record, to look up and to save?

    python -m bench.pages [--database sqlite:////tmp/w365.db --rows 500000] [--rounds 5] [--sessions 200]

Starts the app on its demo, or without one on a database, which is made with so many rows where it is not there, and
plays a browser over the websocket and the grid's routes. Prints as JSON the milliseconds of processor time that the
app's process spends until it is idle again: the median and the highest of each, without the first, which imports.
With `--sessions`, the memory of that process before, and after each quarter of so many tabs, of which each opens every
page and is closed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa

from bench.app import app, pss, wait_for
from bench.made_up import fill, open_empty
from bench.tab import Tab, opened
from w365.api.tokens import HEADER
from w365.store import tables as t
from w365.store.db.engine import open_store
from w365.store.runs import ACTIVE
from w365.ui.frame.pages import PAGES

_SETTLED_SECONDS = 300
_QUIET = 0.002
"""Seconds of processor time in 0.1 s: what a process spends that has nothing to do."""
_GRID, _REASON = "provider-accounts-light-True", "accounts_reason"
_QUERIES = {"account": "account={account}", "onboarding": "account={account}"}
_LETTERS = ("a", "am", "amb", "ambe", "amber")

Costs = dict[str, list[float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", default="")
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sessions", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        database = options.database or f"sqlite:///{name}/demo/w365.db"
        if options.database:
            _make(database, options.rows)
        environment = {"W365_DATABASE_URL": database, "W365_DEMO": "off"} if options.database else {}
        with app(Path(name), environment) as (process, url):
            wait_for(url)
            ids = _wait_until_settled(database)
            answer = measure(Bench(process, url, ids), options.rounds, options.sessions)
    print(json.dumps(answer, indent=1))


def _make(url: str, rows: int) -> None:
    store = open_empty(url)
    with store.read() as connection:
        is_empty = connection.scalar(sa.select(t.Provider.id).limit(1)) is None
    if is_empty:
        store.keep_wal()
        fill(store, rows)
    store.close()


def _wait_until_settled(url: str) -> dict[str, Any]:
    """Wait until the database is filled and no run is under way, and choose an open row and an account to look at."""
    store, until = open_store(url), time.monotonic() + _SETTLED_SECONDS
    busy = sa.select(t.Run.id).where(t.Run.state.in_(ACTIVE)).limit(1)
    row = sa.select(t.Worklist.provider_account_id).where(t.Worklist.status == "unmapped").limit(1)
    account = sa.select(t.Account.id, t.Account.crm_id).join(t.Mapping, t.Mapping.account_id == t.Account.id).limit(1)
    while time.monotonic() < until:
        time.sleep(1)
        try:
            with store.read() as connection:
                waits = connection.scalar(busy)
                one, any_account = connection.scalar(row), connection.execute(account).first()
        except Exception:  # noqa: BLE001 - the app is still making the tables
            continue
        if waits is None and one is not None and any_account is not None:
            store.close()
            return {"row": one, "account_id": any_account.id, "account": any_account.crm_id}
    raise SystemExit("The app's first runs did not end.")


class Bench:
    """A running app, with what its process spends."""

    def __init__(self, process: psutil.Process, url: str, ids: dict[str, Any]) -> None:
        self.process, self.url, self.ids = process, url, ids
        with urllib.request.urlopen(f"{url}/_stcore/health") as answer:
            self.cookie = "; ".join(set_by.partition(";")[0] for set_by in answer.headers.get_all("Set-Cookie"))
        self._clock = (~process.pid << 3) | 2  # clock_getcpuclockid(3): ended threads count too

    def spend(self, work: Callable[[], object]) -> float:
        """Do this and return the milliseconds of processor time until the process is idle again."""
        before = self._quiet()
        work()
        return (self._quiet() - before) * 1000

    def _quiet(self) -> float:
        now = time.clock_gettime(self._clock)
        while True:
            time.sleep(0.1)
            before, now = now, time.clock_gettime(self._clock)
            if now - before < _QUIET:
                return before

    @contextmanager
    def tab(self) -> Iterator[Tab]:
        with opened(self.url, self.cookie) as tab:
            yield tab

    def query(self, place: str) -> str:
        return _QUERIES.get(place, "").format(**self.ids)

    def ask(self, token: str, path: str, body: object = None) -> Any:
        """Ask a route of the grid."""
        data = None if body is None else json.dumps(body).encode()
        headers = {HEADER: token, "Content-Type": "application/json", "Cookie": self.cookie}
        with urllib.request.urlopen(urllib.request.Request(self.url + path, data, headers)) as answer:
            return json.load(answer)


def measure(bench: Bench, rounds: int, sessions: int) -> dict[str, Any]:
    with bench.tab() as tab:
        pages = _switch(bench, tab, rounds + 1)
        grid = _work_in_grid(bench, tab, rounds + 1)
    per_page = [statistics.median(costs[1:]) for costs in pages.values()]
    answer: dict[str, Any] = {
        "page switch, median of all pages": round(statistics.median(per_page)),
        "page switch, slowest page": round(max(per_page)),
        "pages": _told(pages),
        "grid": _told(grid),
    }
    return answer | ({"memory": _watch_memory(bench, sessions)} if sessions else {})


def _told(costs: Costs) -> dict[str, str]:
    return {
        name: f"{statistics.median(each[1:]):.0f} (highest {max(each[1:]):.0f}, first {each[0]:.0f})"
        for name, each in costs.items()
    }


def _switch(bench: Bench, tab: Tab, rounds: int) -> Costs:
    costs: Costs = {page.place: [] for page in PAGES}
    for _ in range(rounds):
        for page in PAGES:
            costs[page.place].append(bench.spend(partial(tab.open, page.place, bench.query(page.place))))
            tab.refuse_errors(page.place)
    return costs


def _work_in_grid(bench: Bench, tab: Tab, rounds: int) -> Costs:
    """What a person does on the page of provider accounts, each as the browser carries it out."""
    costs: Costs = {name: [] for name in ("facet", "counts of further facets", "record", "lookup letter", "save")}
    tab.open("provider_accounts", "status=all")
    token, row = tab.token(), bench.ids["row"]

    def choose(reason: str) -> None:
        tab.set(_REASON, string_value=reason)
        bench.ask(token, f"/api/rows?status=all&reason={reason}&start=0&end=100")

    def save(account: int | None) -> None:
        seen = bench.ask(token, f"/api/rows?row={row}")["rows"][0]["version"]
        costs["save"].append(
            bench.spend(partial(bench.ask, token, "/api/mapping", {"row": row, "account": account, "seen": seen}))
        )

    for number in range(rounds):
        reason = ("no_account", "")[number % 2]
        costs["facet"].append(bench.spend(partial(choose, reason)))
        letters = _LETTERS[number % len(_LETTERS)]
        path = f"/api/accounts?row={row}&q={letters}"
        costs["lookup letter"].append(bench.spend(partial(bench.ask, token, path)))
        save(bench.ids["account_id"])
        save(None)
    for number in range(rounds):
        costs["counts of further facets"].append(
            bench.spend(partial(tab.set, "facets_open", bool_value=number % 2 == 0))
        )
    event = json.dumps({"what": "open", "row": row})
    for _ in range(rounds):
        costs["record"].append(bench.spend(partial(tab.set, _GRID, json_value=event)))
        tab.open("provider_accounts", "status=all")
    return costs


def _watch_memory(bench: Bench, sessions: int) -> dict[str, float]:
    """Open and close so many tabs; the mebibytes of the process at each quarter."""
    held = {"before": pss(bench.process)}
    for number in range(1, sessions + 1):
        with bench.tab() as tab:
            for page in PAGES:
                tab.open(page.place, bench.query(page.place))
        if number % max(sessions // 4, 1) == 0:
            held[f"after {number}"] = pss(bench.process)
    return held


if __name__ == "__main__":
    main()
