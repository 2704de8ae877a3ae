"""Words and trigrams of many names at once, as whole numbers that depend on the text alone."""

from __future__ import annotations

import functools
from array import array
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.uint64]
Owners = npt.NDArray[np.int64]

_BLANK = np.uint64(32)
_SIGN = np.uint64(21)  # bits of a Unicode code point, so that three of them fit beside the mark
_IS_WORD = np.uint64(1 << 63)
_STEP = 0x9E3779B97F4A7C15
_ALL = (1 << 64) - 1
_FACTORS = tuple(pow(_STEP, at + 1, 1 << 64) for at in range(256))
_POWERS = np.array(_FACTORS, dtype=np.uint64)


def gram_codes(keys: Sequence[str]) -> tuple[Codes, Owners]:
    """Give every gram of the keys and the position of its key: trigrams of each padded word, and each word whole.

    Keys hold words with one blank between. A gram that a key has twice is given twice. A trigram is coded exactly, a
    word by a hash of 63 bits.
    """
    text = " " + "  ".join(keys) + " "
    signs = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    owners = np.repeat(np.arange(len(keys)), [len(key) + 2 for key in keys])
    inside = np.flatnonzero(signs[1:-1] != _BLANK)
    trigrams = signs[inside] << (_SIGN + _SIGN) | signs[inside + 1] << _SIGN | signs[inside + 2]
    words, starts = _word_codes(signs)
    return np.concatenate((trigrams, words)), np.concatenate((owners[inside + 1], owners[starts]))


def codes_of(key: str) -> Codes:
    """Give the different codes of one key in ascending order; for one short text arrays are a detour."""
    codes = sorted(set[int]().union(*map(_codes_of_word, key.split())))
    return np.frombuffer(array("Q", codes), dtype=np.uint64)


@functools.lru_cache(maxsize=4_096)
def _codes_of_word(word: str) -> tuple[int, ...]:
    """Most words of names come again and again."""
    signs = [32, *map(ord, word), 32]
    total = sum(sign * _FACTORS[at & 255] for at, sign in enumerate(signs[1:-1])) & _ALL
    trigrams = [a << 42 | b << 21 | c for a, b, c in zip(signs, signs[1:], signs[2:], strict=False)]
    return (*trigrams, (total ^ total >> 29) | 1 << 63)


def _word_codes(signs: Codes) -> tuple[Codes, Owners]:
    is_blank = signs == _BLANK
    starts = np.flatnonzero(is_blank[:-1] & ~is_blank[1:]) + 1
    if not len(starts):
        return np.array([], dtype=np.uint64), starts
    offsets = np.arange(len(signs)) - starts[np.maximum(np.cumsum(np.bincount(starts, minlength=len(signs))) - 1, 0)]
    terms = np.where(is_blank, np.uint64(0), signs * _POWERS[offsets % len(_POWERS)])
    sums = np.add.reduceat(terms, starts)
    return (sums ^ (sums >> np.uint64(29))) | _IS_WORD, starts
