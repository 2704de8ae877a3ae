"""Every attempt to get in at the running app is held, and none is held by chance: without the doors they get in."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.door_attempts import STARTS, VISITS
from bench.doors import try_all

pytestmark = pytest.mark.tools


def test_every_attempt_is_held_and_who_belongs_here_gets_in(tmp_path: Path) -> None:
    fallen = [outcome for outcome in try_all(tmp_path, [*VISITS, *STARTS]) if not outcome.held]
    assert fallen == []


def test_without_the_doors_each_attempt_gets_in_that_only_they_hold(tmp_path: Path) -> None:
    outcomes = list(try_all(tmp_path, [*VISITS, STARTS[0]], has_doors=False))
    held = [outcome.attempt.name for outcome in outcomes if not outcome.got_in]
    assert held == [attempt.name for attempt in VISITS if attempt.server_holds]
