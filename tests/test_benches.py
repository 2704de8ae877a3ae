"""The benches run, here at sizes that tell nothing about speed, and their report fits the page it is written to."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.report import PAGE, put

ROOT = Path(__file__).parents[1]


@pytest.mark.tools
@pytest.mark.parametrize(
    "bench",
    [
        "match --customers 150",
        "lookup --accounts 300",
        "export --rows 200",
        "decide --rows 300 --bulk 300 --times 3",
        "short_sync --customers 60 --check",
    ],
)
def test_a_bench_runs_and_prints_json(bench: str) -> None:
    name, *arguments = bench.split()
    command = [sys.executable, "-m", f"bench.{name}", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)


def test_a_table_takes_the_place_of_the_one_before() -> None:
    page = put(PAGE.read_text("utf-8"), "speed", "| new |\n")
    assert "<!-- speed -->\n| new |\n<!-- end of speed -->\n" in page
    assert put(page, "speed", "| newer |\n").count("new") == page.count("new")


def test_a_page_without_a_place_for_a_table_is_left_alone() -> None:
    with pytest.raises(SystemExit, match="no place for speed"):
        put("Nothing here.", "speed", "| new |\n")
