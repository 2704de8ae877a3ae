"""From which length words are kept and corrected, and up to which."""

from __future__ import annotations

import pytest

from w365.store.db.engine import Store
from w365.store.reading.spelling import is_kept, learn_words, words_meant


@pytest.mark.parametrize(("word", "kept"), [("ab", False), ("abc", True), ("a" * 40, True), ("a" * 41, False)])
def test_words_of_3_to_40_letters_are_kept(word: str, *, kept: bool) -> None:
    assert is_kept(word) is kept


@pytest.mark.parametrize(
    ("typed", "meant"), [("abx", []), ("abcx", ["abcd", "abc"]), ("b" * 39 + "x", ["b" * 40]), ("b" * 40 + "x", [])]
)
def test_what_has_4_to_40_letters_is_corrected(store: Store, typed: str, meant: list[str]) -> None:
    with store.write() as connection:
        learn_words(connection, ["abc", "abcd", "b" * 40])
        assert words_meant(connection, typed) == meant
