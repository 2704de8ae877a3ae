"""Which of many names are like this one: an inverted index of words and trigrams, rare ones counting most.

Everything lies in arrays, some 400 bytes a name, so that a million names fit into a small process. Weights are whole
numbers: their sums do not depend on the order in which names came.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz
from rapidfuzz.process import cdist

from w365.matching.grams import codes_of, gram_codes
from w365.matching.names import name_tokens
from w365.matching.postings import Numbering, Numbers, Postings, Texts

_POSTINGS_READ = 4_000  # rarest first; beyond this a gram is too common to tell names apart
_RAREST_READ = 4
_LOOKED_AT = 160
_SHORT = 3  # letters; so short a word is met by chance
_COMPARED = 20
_COSINE_SHARE = 0.7  # the rest is the likeness of the words as written, which notices typing errors in short names
_TAKEN_IN = 20_000
_FINENESS = 256  # of a weight; the sum over a name stays far below 2**31

Floats = npt.NDArray[np.float64]
_WORDS = np.uint64(1 << 63)  # codes from here on are those of words
_NOTHING: Numbers = np.array([], dtype=np.int64)
_NO_GRAMS: npt.NDArray[np.uint32] = np.array([], dtype=np.uint32)


@dataclass(frozen=True, slots=True)
class _NameQuery:
    """A name that is looked for: its grams that other names have, the rarest first, and how many no name has."""

    key: str
    known: Numbers
    unseen: int


class NameIndex:
    """Names of accounts, several an account allowed. Two indexes of the same names answer alike, however they grew.

    One thread at a time: a search must not overlap with another, with ``add`` or ``discard``.
    """

    def __init__(self, items: Iterable[tuple[int, str]] = ()) -> None:
        self._waiting: dict[int, list[str]] = {}
        self._leaving: set[int] = set()
        self._clear()
        for account_id, name in items:
            self.add(account_id, name)

    def __len__(self) -> int:
        self._refresh()
        return self._count

    def add(self, account_id: int, name: str) -> None:
        """Add a name to those of the account."""
        key = _key(name)
        if key:
            self._waiting.setdefault(account_id, []).append(key)
        if len(self._waiting) >= _TAKEN_IN:
            self._take_in()

    def discard(self, account_id: int) -> None:
        """Forget all names of an account, if it has any."""
        self._waiting.pop(account_id, None)
        self._leaving.add(account_id)

    def search(self, name: str, limit: int = 10) -> list[tuple[int, float]]:
        """Give the most alike accounts with their likeness between 0 and 1, best first, then by id."""
        likeness, _ = self.likeness([name])
        return sorted(likeness.items(), key=lambda hit: (-hit[1], hit[0]))[:limit]

    def likeness(
        self, names: Sequence[str], near: Iterable[str] = (), also: Collection[int] = (), by_near: int = 5
    ) -> tuple[dict[int, float], set[int]]:
        """Give accounts with the likeness of their names to the one of ``names`` that is most alike.

        Found are the accounts most alike to ``names``, some (``by_near``) like each of ``near``, and those in ``also``.
        Those found by ``near`` are told apart.
        """
        self._refresh()
        asked = [self._ask(key) for key in dict.fromkeys(map(_key, names)) if key]
        if not asked:
            return {}, set()
        close = [self._rough(query, _LOOKED_AT, _POSTINGS_READ) for query in asked]
        nearby = [*map(self._ask, map(_key, near)), *map(self._rarest_word, asked)]
        others = [self._rough(query, by_near, _POSTINGS_READ // 4) for query in nearby]
        positions = np.concatenate((*close, *others, self._positions_of(also)))
        if not len(positions):
            return {}, set()
        cosines = [self._cosines(query, positions) for query in asked]
        kept = self._closest(cosines, positions, list(map(len, close)))
        likeness = self._compare(asked, [cosine.take(kept) for cosine in cosines], positions.take(kept))
        return likeness, set(self._account_column.take(np.concatenate(others)).tolist()) if others else set()

    def _clear(self) -> None:
        self._vocabulary = Numbering()
        self._postings = Postings()
        self._keys = Texts()
        self._owners_of: Numbers = np.zeros(0, dtype=np.int64)
        self._account_ids = array("q")
        self._grams = array("I")
        self._ends = array("q", [0])
        self._alive = bytearray()
        self._count = 0
        self._look()

    def _refresh(self) -> None:
        self._take_in()
        if self._is_changed:
            self._look()

    def _take_in(self) -> None:
        if self._leaving:
            self._forget(np.array(sorted(self._leaving), dtype=np.int64))
            self._leaving.clear()
        if self._waiting:
            items = [(account_id, key) for account_id, keys in self._waiting.items() for key in keys]
            self._waiting = {}
            self._insert(items)

    def _forget(self, account_ids: Numbers) -> None:
        column = np.frombuffer(self._account_ids, dtype=np.int64)
        alive = np.frombuffer(self._alive, dtype=np.uint8)
        gone = np.flatnonzero(np.isin(column, account_ids) & (alive > 0))
        for position in gone.tolist():
            self._owners_of[self._grams[self._ends[position] : self._ends[position + 1]]] -= 1
            self._alive[position] = 0
        self._count -= len(gone)
        self._is_changed |= bool(len(gone))
        if len(self._keys) > 2 * self._count + 1000:
            self._compact()

    def _insert(self, items: Sequence[tuple[int, str]]) -> None:
        self._is_changed = True
        # A column cannot grow while an array looks at it.
        self._account_column, self._gram_column, self._end_column = _NOTHING, _NO_GRAMS, _NOTHING
        first = len(self._keys)
        codes, owners = gram_codes([key for _, key in items])
        numbers = self._vocabulary.take(codes)
        entries = np.unique(owners << 32 | numbers)
        owners, numbers = entries >> 32, entries & 0xFFFFFFFF
        self._postings.add(numbers, owners + first)
        grown = np.zeros(len(self._vocabulary), dtype=np.int64)
        grown[: len(self._owners_of)] = self._owners_of
        self._owners_of = grown + np.bincount(numbers, minlength=len(grown))
        ends = np.cumsum(np.bincount(owners, minlength=len(items))) + len(self._grams)
        self._ends.frombytes(ends.astype(np.int64).tobytes())
        self._grams.frombytes(numbers.astype(np.uint32).tobytes())
        for account_id, key in items:
            self._keys.append(key)
            self._account_ids.append(account_id)
        self._alive += b"\1" * len(items)
        self._count += len(items)

    def _compact(self) -> None:
        kept = [(self._account_ids[at], self._keys[at]) for at, alive in enumerate(self._alive) if alive]
        self._clear()
        self._insert(kept)

    def _look(self) -> None:
        """See the growing columns as arrays, and weigh the grams anew."""
        self._is_changed = False
        self._vocabulary.settle()
        self._account_column = np.frombuffer(self._account_ids, dtype=np.int64)
        self._gram_column = np.frombuffer(self._grams, dtype=np.uint32)
        self._end_column = np.frombuffer(self._ends, dtype=np.int64)
        sizes = np.diff(self._end_column)
        alive = np.frombuffer(bytes(self._alive), dtype=np.uint8)
        self._inverse_size = np.where(alive > 0, 1.0 / np.sqrt(np.maximum(sizes, 1)), 0.0)
        rarity = np.log(max(self._count, 1) / np.maximum(self._owners_of, 1)) + 1.0
        self._weights = np.rint(_FINENESS * rarity * rarity).astype(np.int32)
        self._order = np.argsort(self._account_column, kind="stable")
        self._sums = np.zeros(len(sizes), dtype=np.int32)
        self._mine = np.zeros(len(self._weights), dtype=np.int32)

    def _ask(self, key: str) -> _NameQuery:
        codes = codes_of(key)
        numbers = self._vocabulary.find(codes)
        is_met = numbers >= 0
        numbers, codes = numbers.compress(is_met), codes.compress(is_met)
        owners = self._owners_of.take(numbers)
        order = np.lexsort((codes, owners))
        order = order[np.count_nonzero(owners == 0) :]  # what nobody has any more comes first
        return _NameQuery(key, numbers.take(order), len(is_met) - len(order))

    def rarity(self, words: Iterable[str]) -> dict[str, float]:
        """Give for each word the logarithm of how many times as many names there are as names that have it."""
        self._refresh()
        return {word: math.log(max(self._count, 1) / max(self._owners(word), 1)) for word in words}

    def _owners(self, word: str) -> int:
        codes = codes_of(word)
        (number,) = self._vocabulary.find(codes.compress(codes >= _WORDS)).tolist()
        return int(self._owners_of[number]) if number >= 0 else 0

    def _rarest_word(self, query: _NameQuery) -> _NameQuery:
        """Give the word of a name that fewest names have, to be looked for by itself: the others may have changed."""
        words = [self._ask(word) for word in query.key.split(" ") if len(word) > _SHORT]
        known = [word for word in words if len(word.known)]
        return min(known, key=lambda word: int(self._owners_of[word.known[0]]), default=query)

    def _rough(self, asked: _NameQuery, limit: int, most_read: int) -> Numbers:
        """Choose the names worth a closer look by the sum of the rarest shared grams."""
        numbers = asked.known
        read = np.cumsum(self._owners_of.take(numbers))
        chosen = numbers[: max(_RAREST_READ, int(read.searchsorted(most_read, side="right")))]
        lists = [self._postings.at(number) for number in chosen.tolist()]
        if not lists:
            return _NOTHING
        places = np.concatenate(lists).astype(np.intp)
        np.add.at(self._sums, places, self._weights.take(chosen).repeat(list(map(len, lists))))
        sums = self._sums.take(places) * self._inverse_size.take(places)
        # A place stands here as often as it shares grams: its last turn counts.
        turns = np.arange(len(places), dtype=np.int32)
        self._sums[places] = turns
        is_last = self._sums.take(places) == turns
        self._sums[places] = 0
        once = places.compress(is_last)
        return once.take(_largest(sums.compress(is_last), self._account_column, once, limit))

    def _positions_of(self, account_ids: Collection[int]) -> Numbers:
        if not account_ids:
            return _NOTHING
        ids = np.array(sorted(account_ids), dtype=np.int64)
        first = self._account_column.searchsorted(ids, "left", self._order)
        last = self._account_column.searchsorted(ids, "right", self._order)
        positions = self._order.take(_ranges(first, last - first))
        return positions.compress(self._inverse_size.take(positions) > 0)

    def _closest(self, cosines: Sequence[Floats], positions: Numbers, close: Sequence[int]) -> Numbers:
        """Give where those positions stand that are worth a comparison.

        For each name asked so many as ``close`` says stand one after the other, of which the closest are kept; what
        comes after them is kept whatever its cosine.
        """
        kept, start = [np.arange(sum(close), len(positions))], 0
        for size, cosine in zip(close, cosines, strict=True):
            part = slice(start, start + size)
            kept.append(start + _largest(cosine[part], self._account_column, positions[part], _COMPARED))
            start += size
        return np.concatenate(kept)

    def _compare(self, asked: Sequence[_NameQuery], cosines: Sequence[Floats], positions: Numbers) -> dict[int, float]:
        texts = self._keys.several(positions.tolist())
        accounts = self._account_column.take(positions).tolist()
        best: dict[int, float] = {}
        for query, cosine in zip(asked, cosines, strict=True):
            written = cdist([query.key], texts, scorer=fuzz.ratio, dtype=np.float64)[0]
            total = _COSINE_SHARE * cosine + (1 - _COSINE_SHARE) * written / 100
            for account_id, likeness in zip(accounts, np.minimum(total, 1.0).tolist(), strict=True):
                if likeness > best.get(account_id, -1.0):
                    best[account_id] = likeness
        return best

    def _cosines(self, asked: _NameQuery, positions: Numbers) -> Floats:
        mine = self._weights.take(asked.known)
        rarest = round(_FINENESS * (math.log(self._count) + 1.0) ** 2)
        length = math.sqrt(int(mine.sum()) + rarest * asked.unseen)
        starts = self._end_column.take(positions)
        sizes = self._end_column.take(positions + 1) - starts
        offsets = sizes.cumsum() - sizes
        grams = self._gram_column.take(_ranges(starts, sizes)).astype(np.intp)
        self._mine[asked.known] = mine
        shared = np.add.reduceat(self._mine.take(grams), offsets)
        self._mine[asked.known] = 0
        norms = np.sqrt(np.add.reduceat(self._weights.take(grams), offsets))
        return np.asarray(shared / (norms * length), dtype=np.float64)


def _key(name: str) -> str:
    return " ".join(sorted(name_tokens(name)))


def _ranges(starts: Numbers, sizes: Numbers) -> Numbers:
    """Give the numbers from each start on, as many as its size, one after the other."""
    ends = np.cumsum(sizes)
    return (starts - ends + sizes).repeat(sizes) + np.arange(int(ends[-1]))


def _largest(sums: Floats, account_ids: Numbers, positions: Numbers, limit: int) -> Numbers:
    """Give where the largest sums stand. Equal ones at the edge go by account id, not by order of arrival."""
    edge = 1e-12
    if len(sums) > limit:
        ordered = sums.copy()
        ordered.partition(-limit)
        edge = max(edge, float(ordered[-limit]))
    (largest,) = (sums >= edge).nonzero()
    if len(largest) > limit:
        ids = account_ids.take(positions.take(largest))
        largest = largest.take(np.lexsort((ids, -sums.take(largest)))[:limit])
    return largest
