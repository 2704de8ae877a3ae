"""Which of many names are like this one: an inverted index of words and trigrams, rare ones counting most."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz

from w365.matching.names import name_tokens

_POSTINGS_READ = 40_000  # rarest first; beyond this a gram is too common to tell names apart
_RAREST_READ = 6
_LOOKED_AT = 48
_COSINE_SHARE = 0.7  # the rest is the likeness of the words as written, which notices typing errors in short names

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]


class NameIndex:
    """Names of accounts, several an account allowed. Two indexes of the same names answer alike, however they grew.

    One thread at a time: a search must not overlap with ``add`` or ``discard``.
    """

    _weights: Floats | None

    def __init__(self, items: Iterable[tuple[int, str]] = ()) -> None:
        self._clear()
        for account_id, name in items:
            self.add(account_id, name)

    def __len__(self) -> int:
        return self._count

    def add(self, account_id: int, name: str) -> None:
        """Add a name; one the account already has under another spelling of the same words changes nothing."""
        self._insert(account_id, " ".join(name_tokens(name)))

    def discard(self, account_id: int) -> None:
        """Forget all names of an account, if it has any."""
        for position in self._positions.pop(account_id, ()):
            for gram in self._grams[position]:
                self._owners_of[gram] -= 1
            self._grams[position] = array("I")
            self._keys[position] = ""
            self._inverse_size[position] = 0.0
            self._count -= 1
        self._weights = None
        if len(self._keys) > 2 * self._count + 1000:
            self._compact()

    def search(self, name: str, limit: int = 10) -> list[tuple[int, float]]:
        """Give the most alike accounts with their likeness between 0 and 1, best first, then by id."""
        key = " ".join(name_tokens(name))
        if not key or not self._count:
            return []
        found = self._likeness(key, self._rough(key))
        return sorted(found.items(), key=lambda hit: (-hit[1], hit[0]))[:limit]

    def likeness(self, name: str, account_ids: Iterable[int]) -> dict[int, float]:
        """Give the likeness of a name to the names of these accounts, whether or not ``search`` would find them."""
        positions = [position for one in account_ids for position in self._positions.get(one, ())]
        key = " ".join(name_tokens(name))
        return self._likeness(key, np.array(positions, dtype=np.intp)) if positions and key else {}

    def _clear(self) -> None:
        self._gram_ids: dict[str, int] = {}
        self._postings: list[array[int]] = []
        self._owners_of: array[int] = array("I")
        self._account_ids: array[int] = array("q")
        self._keys: list[str] = []
        self._grams: list[array[int]] = []
        self._inverse_size: array[float] = array("d")
        self._positions: dict[int, tuple[int, ...]] = {}
        self._count = 0
        self._weights = None

    def _insert(self, account_id: int, key: str) -> None:
        present = self._positions.get(account_id, ())
        if not key or any(self._keys[position] == key for position in present):
            return
        position = len(self._keys)
        grams = array("I", [self._gram_id(gram) for gram in _grams(key)])
        for gram in grams:
            self._postings[gram].append(position)
            self._owners_of[gram] += 1
        self._grams.append(grams)
        self._keys.append(key)
        self._account_ids.append(account_id)
        self._inverse_size.append(1.0 / math.sqrt(len(grams)))
        self._positions[account_id] = (*present, position)
        self._count += 1
        self._weights = None

    def _gram_id(self, gram: str) -> int:
        known = self._gram_ids.get(gram)
        if known is None:
            known = self._gram_ids[gram] = len(self._postings)
            self._postings.append(array("I"))
            self._owners_of.append(0)
        return known

    def _compact(self) -> None:
        kept = [(account_id, self._keys[p]) for account_id, places in self._positions.items() for p in places]
        self._clear()
        for account_id, key in kept:
            self._insert(account_id, key)

    def _gram_weights(self) -> Floats:
        if self._weights is None:
            owners = np.maximum(np.frombuffer(self._owners_of, dtype=np.uint32), 1)
            self._weights = np.square(np.log(self._count / owners) + 1.0)
        return self._weights

    def _rough(self, key: str) -> Positions:
        """Choose the names worth a closer look by the sum of the rarest shared grams."""
        weights = self._gram_weights()
        chosen = self._rarest(key)
        if not chosen:
            return np.array([], dtype=np.intp)
        places = np.concatenate([np.frombuffer(self._postings[gram], dtype=np.uint32) for gram in chosen])
        gains = np.repeat(weights[chosen], [len(self._postings[gram]) for gram in chosen])
        sums = np.bincount(places, gains, minlength=len(self._keys))
        sums *= np.frombuffer(self._inverse_size, dtype=np.float64)
        return _largest(sums, np.frombuffer(self._account_ids, dtype=np.int64))

    def _rarest(self, key: str) -> list[int]:
        known = [(self._owners_of[gram_id], gram, gram_id) for gram, gram_id in self._known(key)]
        chosen: list[int] = []
        read = 0
        for owners, _, gram_id in sorted(known):
            read += owners
            if read > _POSTINGS_READ and len(chosen) >= _RAREST_READ:
                break
            chosen.append(gram_id)
        return chosen

    def _known(self, key: str) -> list[tuple[str, int]]:
        ids = ((gram, self._gram_ids.get(gram)) for gram in _grams(key))
        return [(gram, gram_id) for gram, gram_id in ids if gram_id is not None and self._owners_of[gram_id]]

    def _likeness(self, key: str, positions: Positions) -> dict[int, float]:
        if not len(positions):
            return {}
        cosines = self._cosines(key, positions)
        best: dict[int, float] = {}
        for position, cosine in zip(positions.tolist(), cosines.tolist(), strict=True):
            written = fuzz.token_sort_ratio(key, self._keys[position]) / 100
            total = min(1.0, _COSINE_SHARE * cosine + (1 - _COSINE_SHARE) * written)
            account_id = self._account_ids[position]
            best[account_id] = max(best.get(account_id, 0.0), total)
        return best

    def _cosines(self, key: str, positions: Positions) -> Floats:
        weights = self._gram_weights()
        known = [gram_id for _, gram_id in self._known(key)]
        unseen = (math.log(self._count) + 1.0) ** 2 * (len(_grams(key)) - len(known))
        length = math.sqrt(float(np.sum(weights[known])) + unseen)
        grams = [self._grams[position] for position in positions]
        flat = np.concatenate([np.frombuffer(one, dtype=np.uint32) for one in grams])
        starts = np.cumsum([0, *(len(one) for one in grams[:-1])])
        shared = np.isin(flat, np.array(known, dtype=np.uint32))
        dots = np.add.reduceat(np.where(shared, weights[flat], 0.0), starts)
        norms = np.sqrt(np.add.reduceat(weights[flat], starts))
        return np.asarray(dots / (norms * length), dtype=np.float64)


def _grams(key: str) -> Sequence[str]:
    """Give words and trigrams once each, in an order that depends on the name alone."""
    grams: dict[str, None] = {}
    for word in key.split():
        grams["=" + word] = None
        padded = f" {word} "
        grams.update(dict.fromkeys(padded[at : at + 3] for at in range(len(padded) - 2)))
    return list(grams)


def _largest(sums: npt.NDArray[Any], account_ids: npt.NDArray[np.int64]) -> Positions:
    """Give the positions of the largest sums. Equal sums at the edge go by account id, not by order of arrival."""
    if len(sums) > _LOOKED_AT:
        edge = np.partition(sums, -_LOOKED_AT)[-_LOOKED_AT]
        found = np.flatnonzero(sums >= max(edge, 1e-12))
    else:
        found = np.flatnonzero(sums > 0)
    order = np.lexsort((account_ids[found], -sums[found]))
    return found[order][: 2 * _LOOKED_AT]
