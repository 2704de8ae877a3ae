"""The arithmetic of a sample, against definitions and by simulation."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from w365.service.auditing.estimates import apportion, draw_from_strata, wilson_interval


@pytest.mark.parametrize(
    ("good", "judged", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (49, 50, 0.8950, 0.9965), (50, 100, 0.4038, 0.5962)],
)
def test_the_interval_is_wilsons(good: int, judged: int, low: float, high: float) -> None:
    found = wilson_interval(good, judged)
    assert found is not None
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    assert found.share == good / judged


def test_nothing_judged_says_nothing() -> None:
    assert wilson_interval(0, 0) is None


def test_the_interval_holds_the_true_share_in_about_95_of_100_samples() -> None:
    chance, held = random.Random(7), 0
    for _ in range(2_000):
        found = wilson_interval(sum(chance.random() < 0.97 for _ in range(100)), 100)
        assert found is not None
        held += found.low <= 0.97 <= found.high
    assert 0.92 <= held / 2_000 <= 0.99


@given(amounts=st.dictionaries(st.integers(0, 5), st.integers(0, 400)), size=st.integers(0, 500))
def test_each_stratum_gets_its_share_and_no_more_than_it_has(amounts: dict[int, int], size: int) -> None:
    shares, whole = apportion(amounts, size), sum(amounts.values())
    assert sum(shares.values()) == min(size, whole)
    for name, share in shares.items():
        assert 0 <= share <= amounts[name]
        assert abs(share - min(size, whole) * amounts[name] / max(whole, 1)) < 1


def test_the_same_seed_draws_the_same_in_whatever_order_the_ids_come() -> None:
    strata = {0: range(1, 900), 1: range(1_000, 1_090), 2: range(2_000, 2_011)}
    drawn = draw_from_strata(strata, 100, 4)
    assert drawn == draw_from_strata({name: list(reversed(ids)) for name, ids in strata.items()}, 100, 4)
    assert drawn != draw_from_strata(strata, 100, 5)
    assert Counter(one // 1_000 for one in drawn) == {0: 90, 1: 9, 2: 1}
    assert len(set(drawn)) == 100
