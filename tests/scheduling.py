"""Which tests one process gets together, and in which order it imports them."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

_JOURNEYS = "tests/browser/"
"""Those share one app and what is stored in it: they run one after another, in the order in which they are collected.

Said here, since xdist's own groups are lost with pytest 9.2, without a word.
"""
_ONLY_LOOKS = "tests/browser/test_accessibility.py"
"""What changes nothing may have an app of its own, on the core that the journeys leave."""


class ByFile(LoadScopeScheduling):
    """Gives out whole files, whose tests begin with the same worlds and servers."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return _JOURNEYS if file.startswith(_JOURNEYS) and file != _ONLY_LOOKS else file


def import_from_elsewhere(files: Sequence[Path]) -> None:
    """Import test files before they are collected, each process beginning at another place of the list.

    All processes import all files, and what the first of them compiled the others only read. In one order all would
    compile the same file at the same time: twelve seconds passed before the first test, not eight.
    """
    number, count = (os.environ.get(f"PYTEST_XDIST_{name}", "0") for name in ("WORKER", "WORKER_COUNT"))
    first = len(files) * int(number.removeprefix("gw")) // max(int(count), 1)
    for path in (*files[first:], *files[:first]):
        if str(path.parent) not in sys.path:
            sys.path.insert(0, str(path.parent))
        with suppress(Exception, pytest.skip.Exception):  # told when it is collected
            importlib.import_module(path.stem)
