"""The table of faults names tests that exist, and leaves no number out."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
LAST = 38


def test_every_fault_is_held_by_tests_that_exist() -> None:
    table = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| (.+?) \| (.+) \|$", table, flags=re.MULTILINE)
    assert [int(number) for number, *_ in rows] == list(range(1, LAST + 1))
    written = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.glob("tests/**/test_*.py"))
    exist = set(re.findall(r"^def (test_\w+)\(", written, flags=re.MULTILINE))
    for number, _, held_by in rows:
        named = re.findall(r"`(test_\w+)`", held_by)
        assert named, number
        assert set(named) <= exist, number
