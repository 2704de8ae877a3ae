"""A slip is one letter wrong, missing or too many, or two neighbours swapped; nothing else is."""

from __future__ import annotations

import functools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from w365.matching.typos import is_one_slip

LETTERS = "abc"


@functools.lru_cache(maxsize=2_000)
def slips_of(word: str, letters: str = LETTERS) -> frozenset[str]:
    """Everything one slip makes of a word, by trying."""
    cuts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    missing = {left + right[1:] for left, right in cuts if right}
    wrong = {left + letter + right[1:] for left, right in cuts if right for letter in letters}
    more = {left + letter + right for left, right in cuts for letter in letters}
    swapped = {left + right[1] + right[0] + right[2:] for left, right in cuts if len(right) > 1}
    return frozenset((missing | wrong | more | swapped) - {word})


@pytest.mark.parametrize("typed", ["contsoo", "contosso", "contso", "conttso", "xontoso", "contosox", "cotnoso"])
def test_one_slip_is_forgiven(typed: str) -> None:
    assert is_one_slip(typed, "contoso")


@pytest.mark.parametrize("typed", ["contoso", "cntsoo", "cont", "contosoxx", "osotnoc"])
def test_none_and_two_are_no_slip(typed: str) -> None:
    assert not is_one_slip(typed, "contoso")


@given(word=st.text(LETTERS, max_size=7), other=st.text(LETTERS, max_size=8))
def test_a_slip_is_what_trying_all_of_them_finds(word: str, other: str) -> None:
    assert is_one_slip(other, word) == (other in slips_of(word))
    assert all(is_one_slip(one, word) for one in slips_of(word))
