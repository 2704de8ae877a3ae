"""The tables of faults and promises name tests that exist, and the faults leave no number out."""

from __future__ import annotations

import functools
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
NUMBERS = [*range(1, 53)]


def test_every_fault_is_held_by_tests_that_exist() -> None:
    table = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| (.+?) \| (.+) \|$", table, flags=re.MULTILINE)
    assert [int(number) for number, *_ in rows] == NUMBERS
    for number, _, held_by in rows:
        named = re.findall(r"`(test_\w+)`", held_by)
        assert named, number
        assert set(named) <= names_there_are(), number


def test_every_promise_of_the_connections_is_held_by_tests_that_exist() -> None:
    text = (ROOT / "docs" / "connection-promises.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| .+ \| (.+) \|$", text, flags=re.MULTILINE)[1:]
    assert len(rows) > 20
    for held_by in rows:
        named = re.findall(r"`(test_\w+)`", held_by)
        assert named, held_by
        assert set(named) <= names_there_are()


@functools.cache
def names_there_are() -> set[str]:
    written = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.glob("tests/**/test_*.py"))
    return set(re.findall(r"^def (test_\w+)\(", written, flags=re.MULTILINE))
