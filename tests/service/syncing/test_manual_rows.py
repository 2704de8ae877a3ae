"""What a row entered by hand or by file may hold, at the limit itself and beside it."""

from __future__ import annotations

import pytest

from w365.service.syncing.manual_rows import COUNTRY, NAME, SEATS, SPECIFIC_ID, SUBSCRIPTIONS, read_row


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        (SPECIFIC_ID, "x" * 400, "x" * 401),
        (NAME, "x" * 400, "x" * 401),
        (COUNTRY, "x" * 60, "x" * 61),
        (SEATS, "10000000", "10000001"),
        (SUBSCRIPTIONS, "500", "501"),
    ],
    ids=[SPECIFIC_ID, NAME, COUNTRY, SEATS, SUBSCRIPTIONS],
)
def test_the_last_that_can_be_used_is_used_and_the_next_is_named(field: str, good: str, bad: str) -> None:
    texts = {SPECIFIC_ID: "1", NAME: "Ant"}
    assert read_row(texts | {field: good})[0] is not None
    customer, problems = read_row(texts | {field: bad})
    assert customer is None
    assert [one.field for one in problems] == [field]
