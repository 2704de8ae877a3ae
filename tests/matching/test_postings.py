from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from w365.matching.grams import codes_of, gram_codes
from w365.matching.postings import Numbering, Postings, Texts

ALWAYS_AT_TIMES_NEVER_MERGED = pytest.mark.parametrize("few", [0, 5, 1_000])
_codes = st.lists(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 9), max_size=8), max_size=6)


@ALWAYS_AT_TIMES_NEVER_MERGED
def test_a_code_keeps_the_number_it_got(few: int) -> None:
    numbering = Numbering(few)
    first = numbering.take(np.array([7, 9, 7], dtype=np.uint64))
    assert first[0] == first[2] != first[1]
    numbering.take(np.arange(20, dtype=np.uint64))
    for _ in ("as they came", "settled"):
        assert numbering.find(np.array([7, 9, 21], dtype=np.uint64)).tolist() == [first[0], first[1], -1]
        assert len(numbering) == 20
        numbering.settle()
    assert not numbering._recent


@given(_codes)
def test_different_codes_have_different_numbers(batches: list[list[int]]) -> None:
    numbering = Numbering(2)
    for batch in batches:
        numbering.take(np.array(batch, dtype=np.uint64))
    every = np.array(sorted({code for batch in batches for code in batch}), dtype=np.uint64)
    assert sorted(numbering.find(every).tolist()) == list(range(len(every))) == list(range(len(numbering)))


@ALWAYS_AT_TIMES_NEVER_MERGED
def test_places_come_back_in_order_however_they_were_added(few: int) -> None:
    kept, naive, place = Postings(few), dict[int, list[int]](), 0
    for batch in ([3, 1], [1], [], [2, 3, 3, 8], [1, 1, 1, 9]):
        places = list(range(place, place + len(batch)))
        place += len(batch)
        kept.add(np.array(batch, dtype=np.int64), np.array(places, dtype=np.int64))
        for number, at in zip(batch, places, strict=True):
            naive.setdefault(number, []).append(at)
        for number in range(11):
            assert kept.at(number).tolist() == naive.get(number, [])


def test_texts_come_back_as_they_went() -> None:
    texts = Texts()
    every = ["", "müller", "株式会社", "a\udc80b", ""]
    for text in every:
        texts.append(text)
    assert [texts[at] for at in range(len(texts))] == every
    assert texts.several([3, 1, 1]) == ["a\udc80b", "müller", "müller"]


def test_grams_are_the_trigrams_of_padded_words_and_the_words() -> None:
    codes, owners = gram_codes(["ab cd", "", "ab"])
    assert np.bincount(owners, minlength=3).tolist() == [6, 0, 3]
    assert set(codes[owners == 2].tolist()) <= set(codes[owners == 0].tolist())
    assert set(gram_codes(["dc ba"])[0].tolist()).isdisjoint(codes.tolist())


def test_words_of_the_same_letters_differ() -> None:
    words = ["listen", "silent", "enlist", "a" * 300, "a" * 299]
    every = [max(gram_codes([word])[0].tolist()) for word in words]
    assert len(set(every)) == len(words)


@given(st.lists(st.text(min_size=1, max_size=9).filter(lambda word: not any(c.isspace() for c in word)), max_size=4))
def test_one_key_is_coded_as_it_is_among_many(words: list[str]) -> None:
    key = " ".join(words)
    codes, owners = gram_codes(["before", key, "after"])
    assert codes_of(key).tolist() == sorted(set(codes[owners == 1].tolist()))
