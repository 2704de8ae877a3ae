"""What of a foreign record can be used, at the limit itself and beside it."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate

import pytest

from w365.errors import SourceChanged
from w365.http.clock_skew import describe_skew
from w365.http.fields import FieldError, Record, refuse_pattern, required_amount, required_id, required_int
from w365.source_records import Rejected


@pytest.mark.parametrize(
    ("read", "good", "bad"),
    [
        (required_id, "x" * 100, "x" * 101),
        (required_amount, 0, -1),
        (required_amount, 1_000_000, 1_000_001),
        (required_int, 2**63 - 1, 2**63),
        (required_int, -(2**63) + 1, -(2**63)),
    ],
    ids=["id", "no amount", "amount", "number", "negative number"],
)
def test_the_last_that_can_be_used_is_used_and_the_next_is_not(
    read: Callable[[Record, str], object], good: object, bad: object
) -> None:
    assert read({"value": good}, "value") == good
    with pytest.raises(FieldError):
        read({"value": bad}, "value")


@pytest.mark.parametrize(("same", "records", "is_pattern"), [(3, 5, True), (4, 4, False), (3, 6, False), (4, 6, True)])
def test_a_defect_of_more_than_half_of_five_records_or_more_is_a_change(
    same: int, records: int, *, is_pattern: bool
) -> None:
    rejected = [Rejected(str(at), "name is missing.") for at in range(same)]
    try:
        refuse_pattern("Pax8", rejected, records)
    except SourceChanged:
        assert is_pattern
    else:
        assert not is_pattern


@pytest.mark.parametrize(("seconds", "is_said"), [(300, False), (301, True), (-300, False), (-301, True)])
def test_a_clock_may_be_wrong_by_five_minutes(seconds: int, *, is_said: bool) -> None:
    now = 1_790_000_000.0
    assert bool(describe_skew(formatdate(now + seconds, usegmt=True), now)) is is_said
