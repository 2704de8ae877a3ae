"""Large maps from numbers to numbers, kept in arrays: an entry costs some bytes, not a hundred."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from w365.matching.grams import Codes

Numbers = npt.NDArray[np.int64]

_FEW = 50_000
_MANY = 1_000_000
_TRIFLE = 64  # one new among so many
_LOW = np.uint64(32)


class Texts:
    """Texts by position, kept as one run of bytes."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._ends = array("q", [0])

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, at: int) -> str:
        return self._bytes[self._ends[at] : self._ends[at + 1]].decode("utf-8", "surrogatepass")

    def several(self, places: Iterable[int]) -> list[str]:
        """Give the texts at many positions, faster than one by one."""
        run, ends = self._bytes, self._ends
        return [run[ends[at] : ends[at + 1]].decode("utf-8", "surrogatepass") for at in places]

    def append(self, text: str) -> None:
        self._bytes += text.encode("utf-8", "surrogatepass")
        self._ends.append(len(self._bytes))


class Numbering:
    """Gives each code a number, 0, 1, 2 …, in the order in which codes are met.

    ``few`` is how many entries stay in a dictionary until they are worth a new array.
    """

    def __init__(self, few: int = _FEW) -> None:
        self._few = few
        self._codes: Codes = np.array([], dtype=np.uint64)
        self._numbers: npt.NDArray[np.uint32] = np.array([], dtype=np.uint32)
        self._recent: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._codes) + len(self._recent)

    def find(self, codes: Codes) -> Numbers:
        """Give the numbers of codes, -1 for those never met."""
        numbers = np.full(len(codes), -1, dtype=np.int64)
        if len(self._codes):
            at = np.minimum(self._codes.searchsorted(codes), len(self._codes) - 1)
            np.copyto(numbers, self._numbers.take(at), where=self._codes.take(at) == codes)
        if self._recent:
            unmet = np.flatnonzero(numbers < 0)
            numbers[unmet] = [self._recent.get(code, -1) for code in codes.take(unmet).tolist()]
        return numbers

    def take(self, codes: Codes) -> Numbers:
        """Give the numbers of codes; those never met get the next ones."""
        different, places = np.unique(codes, return_inverse=True)
        numbers = self.find(different)
        is_new = numbers < 0
        numbers[is_new] = np.arange(len(self), len(self) + np.count_nonzero(is_new))
        self._recent.update(zip(different[is_new].tolist(), numbers[is_new].tolist(), strict=True))
        if len(self._recent) > self._few:
            self._merge()
        return numbers[places]

    def settle(self) -> None:
        """Before many searches: move what was met lately to the arrays, if it is more than a trifle beside them."""
        if len(self._recent) > len(self._codes) // _TRIFLE:
            self._merge()

    def _merge(self) -> None:
        codes = np.concatenate((self._codes, np.fromiter(self._recent.keys(), np.uint64, len(self._recent))))
        recent = np.fromiter(self._recent.values(), np.uint32, len(self._recent))
        order = np.argsort(codes, kind="stable")
        self._codes, self._numbers = codes[order], np.concatenate((self._numbers, recent))[order]
        self._recent = {}


class Postings:
    """At which places each number stands. Places are added in ascending order; ``few`` as in `Numbering`."""

    def __init__(self, few: int = _FEW) -> None:
        self._few = few
        self._starts: Numbers = np.zeros(1, dtype=np.int64)
        self._places: npt.NDArray[np.uint32] = np.array([], dtype=np.uint32)
        self._recent: dict[int, list[int]] = {}
        self._recent_size = 0
        self._waiting: list[Codes] = []  # number and place in one
        self._waiting_size = 0

    def add(self, numbers: Numbers, places: Numbers) -> None:
        self._waiting.append(numbers.astype(np.uint64) << _LOW | places.astype(np.uint64))
        self._waiting_size += len(numbers)
        if self._waiting_size > max(_MANY, len(self._places)):
            self._merge()

    def at(self, number: int) -> npt.NDArray[np.uint32]:
        """Give the places of one number in ascending order."""
        if self._waiting:
            self._settle()
        known = number + 1 < len(self._starts)
        places = self._places[self._starts[number] : self._starts[number + 1]] if known else self._places[:0]
        recent = self._recent.get(number)
        return np.concatenate((places, np.array(recent, dtype=np.uint32))) if recent else places

    def _settle(self) -> None:
        if self._waiting_size + self._recent_size > max(self._few, len(self._places) // 4):
            self._merge()
            return
        for number, place in _split(self._waiting):
            self._recent.setdefault(number, []).append(place)
        self._recent_size += self._waiting_size
        self._waiting, self._waiting_size = [], 0

    def _merge(self) -> None:
        recent = [number << 32 | place for number, places in self._recent.items() for place in places]
        settled = np.repeat(np.arange(len(self._starts) - 1, dtype=np.uint64), np.diff(self._starts))
        settled <<= _LOW
        settled |= self._places
        entries = np.concatenate((settled, np.array(recent, dtype=np.uint64), *self._waiting))
        self._recent, self._recent_size, self._waiting, self._waiting_size = {}, 0, [], 0
        del settled
        entries.sort()
        self._places = entries.astype(np.uint32)  # the lower half
        entries >>= _LOW
        counts = np.bincount(entries.view(np.int64)) if len(entries) else np.array([], dtype=np.int64)
        self._starts = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(counts)))


def _split(entries: list[Codes]) -> Iterator[tuple[int, int]]:
    for part in entries:
        yield from ((entry >> 32, entry & 0xFFFFFFFF) for entry in part.tolist())
