"""Compare suggestions with other ways to find a company by name, on the labelled set enlarged to many accounts.

    python -m bench.suggest [--accounts 100000] [--queries 571] [--slow-queries 60] [--json out.json]

The queries are the customers of the dev part that have an account to which equal domains do not lead alone. All get the
same names and the same accounts in the same run; ours is given once with all it knows and once with names only. The
peers are optional and no dependency of the product; one that is missing is skipped with a sentence:

    pip install scikit-learn sparse_dot_topn splink

Time is told as milliseconds a row, building apart. WRatio, half a second each, answers every n-th query only.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import suggest_peers
from bench.suggest_world import GOLD, Query, enlarge, read_prospects, read_queries
from w365.matching.candidates import Suggester
from w365.matching.comparison_records import ComparedCustomer, Prospect
from w365.matching.domains import FREE_MAIL

Answers = Sequence[Sequence[int]]  # for each query, positions of accounts, best first


@dataclass(frozen=True, slots=True)
class Row:
    """What one method reached. ``ms`` is wall time a query, ``cpu_ms`` the processor's, both without building."""

    method: str
    queries: int
    first: float
    among_five: float
    ms: float
    cpu_ms: float
    build_s: float


def main() -> None:
    options = _options()
    if not GOLD.is_dir():
        raise SystemExit("The labelled set is not beside the project.")
    prospects = list(enlarge(read_prospects(), options.accounts))
    queries = read_queries()[: options.queries]
    gc.freeze()  # the collector need not go through the bench's own accounts in anybody's time
    rows = list(_measure(prospects, queries, options.slow_queries))
    report = {"accounts": len(prospects), "rows": [asdict(row) for row in rows], "ratios": _ratios(rows)}
    text = json.dumps(report, indent=2)
    print(text)
    if options.json:
        options.json.write_text(text + "\n", "utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=1_000)
    parser.add_argument("--slow-queries", type=int, default=60, help="for WRatio, which takes half a second each")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def _measure(prospects: list[Prospect], queries: list[Query], slow_queries: int) -> Iterator[Row]:
    yield _ours("ours", prospects, queries)
    bare = [Prospect(one.account_id, one.name) for one in prospects]
    asked = [Query(ComparedCustomer(one.subject.name), one.wanted) for one in queries]
    yield _ours("ours, names only", bare, asked)
    peers: list[tuple[str, Callable[[list[str], list[str]], suggest_peers.Found], int]] = [
        ("TF-IDF of trigrams, sparse_dot_topn", suggest_peers.tf_idf, len(queries)),
        ("Splink without labels", suggest_peers.splink, len(queries)),
        ("rapidfuzz WRatio", suggest_peers.w_ratio, slow_queries),
    ]
    for method, find, most in peers:
        try:
            yield _theirs(method, find, prospects, queries[:: max(1, len(queries) // most)])
        except ImportError as error:
            print(f"{method} is left out: {error.name} is not installed.", file=sys.stderr)


def _ours(method: str, prospects: list[Prospect], queries: list[Query]) -> Row:
    started = time.perf_counter()
    suggester = Suggester(prospects, ignored=FREE_MAIL)
    one = prospects[0]  # the first answer puts the index in order, which is a part of building
    suggester.suggest(ComparedCustomer(one.name, tuple(domain.name for domain in one.domains)), {})
    build = time.perf_counter() - started
    started, processor = time.perf_counter(), time.process_time()
    answers = [[one.account_id for one in suggester.suggest(query.subject, {})] for query in queries]
    spent = suggest_peers.Spent(build, time.perf_counter() - started, time.process_time() - processor)
    return _row(method, queries, answers, spent)


def _theirs(
    method: str,
    find: Callable[[list[str], list[str]], suggest_peers.Found],
    prospects: list[Prospect],
    queries: list[Query],
) -> Row:
    found = find([one.name for one in prospects], [one.subject.name for one in queries])
    answers = [[prospects[at].account_id for at in five] for five in found.positions]
    return _row(method, queries, answers, found.spent)


def _row(method: str, queries: list[Query], answers: Answers, spent: suggest_peers.Spent) -> Row:
    first = sum(bool(query.wanted & set(five[:1])) for query, five in zip(queries, answers, strict=True))
    among = sum(bool(query.wanted & set(five[:5])) for query, five in zip(queries, answers, strict=True))
    count = len(queries)
    milliseconds = (round(1000 * seconds / count, 3) for seconds in (spent.wall, spent.processor))
    return Row(
        method, count, round(first / count, 4), round(among / count, 4), *milliseconds, build_s=round(spent.build, 1)
    )


def _ratios(rows: list[Row]) -> dict[str, dict[str, float]]:
    """How many times as often ours has the right account among five, and how many times as fast it is a row."""
    ours = rows[0]
    return {
        row.method: {
            "among_five": round(ours.among_five / row.among_five, 3) if row.among_five else 0.0,
            "faster": round(row.ms / ours.ms, 2),
        }
        for row in rows[1:]
    }


if __name__ == "__main__":
    main()
