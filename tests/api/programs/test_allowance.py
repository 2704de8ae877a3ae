from __future__ import annotations

import pytest

from w365.api.programs.allowance import Allowance


def test_a_minute_s_calls_may_come_at_once_and_then_one_by_one_as_they_become_free() -> None:
    now = 100.0
    allowance = Allowance(60, lambda: now)
    assert [allowance.take(1) for _ in range(60)] == [0.0] * 60
    assert allowance.take(1) == pytest.approx(1.0)
    now += 0.4
    assert allowance.take(1) == pytest.approx(0.6)
    now += 0.6
    assert allowance.take(1) == 0.0
    assert allowance.take(1) == pytest.approx(1.0)
    now += 1000
    assert [allowance.take(1) for _ in range(61)][-2:] == [0.0, pytest.approx(1.0)]


def test_each_token_has_its_own_and_a_refused_call_costs_nothing() -> None:
    allowance = Allowance(1, lambda: 5.0)
    assert (allowance.take(1), allowance.take(2)) == (0.0, 0.0)
    assert allowance.take(1) == allowance.take(1) == pytest.approx(60.0)


def test_nothing_a_minute_is_no_limit() -> None:
    allowance = Allowance(0, lambda: 5.0)
    assert {allowance.take(1) for _ in range(10_000)} == {0.0}
