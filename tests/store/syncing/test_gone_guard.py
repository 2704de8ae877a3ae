"""The guard stops above its share, not at it, and says nothing of a handful of records."""

from __future__ import annotations

import pytest

from w365.errors import MassDisappearance
from w365.store.db.engine import Store
from w365.store.syncing.gone_guard import GoneGuard, is_too_many

GUARD = GoneGuard("customers", "the provider's list", kept="Nothing was marked as gone.", do="Check the provider.")


def test_a_fifth_may_be_gone_of_ten_and_more_and_all_of_nine(store: Store) -> None:
    with store.read() as connection:
        passing = [is_too_many(connection, *counts) for counts in ((2, 10), (200, 1_000), (9, 9))]
        stopped = [is_too_many(connection, *counts) for counts in ((3, 10), (201, 1_000), (10, 10))]
    assert (passing, stopped) == ([False] * 3, [True] * 3)


def test_what_it_stops_is_told_with_both_counts_the_share_and_whose_list_it_is(store: Store) -> None:
    with store.read() as connection:
        GUARD.refuse_too_many(connection, 200, 1_000)
        with pytest.raises(MassDisappearance) as refused:
            GUARD.refuse_too_many(connection, 1_201, 6_000)
    assert refused.value.what == "1,201 of 6,000 customers are missing from the provider's list, more than 20 %."
    assert (refused.value.kept, refused.value.do) == (GUARD.kept, GUARD.do)
