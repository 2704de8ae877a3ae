"""How long is waited between tries: doubling, by chance, never without end."""

from __future__ import annotations

from email.utils import formatdate

import pytest

from w365.http.retry import PATIENCE, parse_retry_after


@pytest.mark.parametrize(
    ("failures", "chance", "seconds"),
    [(1, 1.0, 1.0), (1, 0.0, 0.5), (2, 1.0, 2.0), (5, 1.0, 16.0), (6, 1.0, 30.0), (50, 1.0, 30.0), (6, 0.0, 15.0)],
)
def test_the_wait_doubles_to_half_a_minute_and_is_half_of_it_at_least(
    failures: int, chance: float, seconds: float
) -> None:
    assert PATIENCE.delay(failures, chance) == seconds


def test_a_date_that_has_passed_means_now() -> None:
    now = 1_790_000_000.0
    assert parse_retry_after(formatdate(now - 60, usegmt=True), now) == 0.0
