"""How right is the match, and how good are the suggestions, on a labelled benchmark of organisations or of firms?

    python -m bench.gold [organisations|firms]

Syncs the benchmark's folder through real HTTPS, matches it once with all guards off (the plain rules) and once with
them on (the default), and scores what `export candidates` gives with the benchmark's own script, on the half whose
labels are open. Beside it: of the first candidates with about this score, how many are right, and the expected
calibration error. Prints JSON.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import itertools
import json
import math
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.sync import ADMIN, demo, seconds
from w365.config import Settings, load_settings
from w365.model import Guard
from w365.service.bootstrap import open_service
from w365.service.configuring.settings import set_settings
from w365.service.exporting import Subject, read_records
from w365.service.syncing.providers import PARTNER_CENTER
from w365.service.syncing.runs import request_crm_sync, request_match, request_sync

SHARED = Path(__file__).parents[1] / ".." / "shared"
GOLD = SHARED / "gold"
SETS = {"organisations": GOLD, "firms": SHARED / "gold-firms"}
COUNTED_IN = {"precision": "auto", "coverage1": "open", "coverage5": "open"}
"""Shares with the number of customers they are of, by which their interval is made."""
BANDS = (0.0, 0.5, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 1.01)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("set", nargs="?", choices=SETS, default="organisations")
    folder = SETS[parser.parse_args().set]
    if not folder.is_dir():
        raise SystemExit("The labelled set is not beside the project.")
    with (folder / "truth_dev.csv").open(encoding="utf-8", newline="") as file:
        truth = list(csv.DictReader(file))
    with tempfile.TemporaryDirectory() as name, demo(Path(name), folder) as environment:
        settings = load_settings({**environment, "W365_HOME": name}, secrets_file=Path(name) / "none.toml")
        database = Path(settings.database_url.removeprefix("sqlite:///"))
        _sync(settings)
        found = {}
        for word, guards in (("guards off", False), ("guards on", True)):
            copy = database.with_name(f"{guards}.db")
            shutil.copyfile(database, copy)
            chosen = load_settings(
                {**environment, "W365_HOME": name, "W365_DATABASE_URL": f"sqlite:///{copy}"},
                secrets_file=Path(name) / "none.toml",
            )
            found[word] = _measure(chosen, truth, guards=guards)
    print(json.dumps(found, indent=1))


def _sync(settings: Settings) -> None:
    service = open_service(settings)
    set_settings(service, ADMIN, {"auto_match": "false"})
    seconds(service, request_crm_sync(service, ADMIN))
    seconds(service, request_sync(service, ADMIN, PARTNER_CENTER))
    service.store.close()


def _measure(settings: Settings, truth: Sequence[dict[str, str]], *, guards: bool) -> dict[str, Any]:
    service = open_service(settings)
    values = {f"guard_{guard}": str(guards).lower() for guard in Guard} | {"auto_match": "true"}
    set_settings(service, ADMIN, values)
    begin = time.perf_counter()
    seconds(service, request_match(service, ADMIN))
    spent = round(time.perf_counter() - begin, 2)
    rows = list(read_records(service, ADMIN, Subject.CANDIDATES))
    service.store.close()
    scored = _score(rows, truth)
    return {
        **scored,
        "intervals": {name: wilson(scored[name], scored[of]) for name, of in COUNTED_IN.items()},
        "calibration error": _calibration_error(rows, truth),
        "match and candidates, s": spent,
        "right of the first, by score": _bands(rows, truth),
    }


def _score(rows: Sequence[Any], truth: Sequence[dict[str, str]]) -> dict[str, Any]:
    spec = importlib.util.spec_from_file_location("gold_score", GOLD / "score.py")
    assert spec
    assert spec.loader
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return dict(script.score(rows, truth))


def wilson(share: float, count: int, z: float = 1.96) -> tuple[float, float]:
    """Give the interval of a share of a count by Wilson's formula, for 95 of a hundred by default."""
    if not count:
        return 0.0, 1.0
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    return round(max(0.0, middle - half), 4), round(min(1.0, middle + half), 4)


def _calibration_error(rows: Sequence[Any], truth: Sequence[dict[str, str]]) -> float:
    """Give the mean difference between said and true over ten bands of the first candidates' scores."""
    bands: dict[int, list[tuple[float, bool]]] = {}
    for best, right in _firsts(rows, truth):
        bands.setdefault(min(int(best["score"] * 10), 9), []).append((best["score"], best["account_number"] in right))
    count = sum(map(len, bands.values()))
    off = (abs(sum(score for score, _ in band) - sum(is_right for _, is_right in band)) for band in bands.values())
    return round(sum(off) / count, 4) if count else 0.0


def _firsts(rows: Sequence[Any], truth: Sequence[dict[str, str]]) -> list[tuple[Any, set[str]]]:
    """Give the first candidate of every labelled open row, and the accounts that are right."""
    wanted = {one["tenant_id"].lower(): set(filter(None, one["account_ids"].split("|"))) for one in truth}
    return [
        (row["candidates"][0], wanted[row["provider_specific_account_id"].lower()])
        for row in rows
        if row["candidates"] and row["status"] != "mapped" and row["provider_specific_account_id"].lower() in wanted
    ]


def _bands(rows: Sequence[Any], truth: Sequence[dict[str, str]]) -> dict[str, str]:
    firsts = _firsts(rows, truth)
    said = {}
    for low, high in itertools.pairwise(BANDS):
        judged = [one["account_number"] in right for one, right in firsts if low <= one["score"] < high]
        if judged:
            said[f"{low} to {min(high, 1.0)}"] = f"{100 * sum(judged) / len(judged):.0f} % of {len(judged)}"
    return said


if __name__ == "__main__":
    main()
