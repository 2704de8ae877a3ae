"""What a run counts is read from its row, said as 0 where it was not counted, and written as the words it had."""

from __future__ import annotations

import json

from w365.store.run_counts import Count, as_words, counts_of, read_counts


def test_what_was_not_counted_is_0_and_not_in_it() -> None:
    counts = read_counts({"new": 3, "gone": 0})
    assert (counts[Count.NEW], counts[Count.GONE], counts[Count.MAPPED]) == (3, 0, 0)
    assert (Count.GONE in counts, Count.MAPPED in counts) == (True, False)


def test_a_word_that_no_version_knows_is_left_out() -> None:
    assert read_counts({"new": 1, "unheard_of": 2}) == {"new": 1}


def test_the_words_are_those_of_the_row() -> None:
    stored = {"accounts_new": 2, "contacts_gone": 1}
    assert as_words(read_counts(stored)) == stored
    assert json.loads(json.dumps(read_counts(stored))) == stored


def test_a_table_of_the_crm_is_counted_as_customers_are() -> None:
    counts = read_counts({"accounts_new": 2, "accounts_gone": 0, "contacts_new": 1, "mapped": 4})
    assert counts_of(counts, "accounts") == {Count.NEW: 2, Count.GONE: 0}
    assert counts_of(counts, "contacts") == {Count.NEW: 1}
