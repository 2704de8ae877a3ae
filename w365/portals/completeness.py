"""Whether a list came whole. Every connector counts here: a list is complete by the same rules, or is said not to be.

A list is not whole where its pages announce more than came (also: it became shorter while it was read, and what moved
up was passed over), where it says that it goes on but not where, and where a page held fewer than asked for, promised
another, and nothing came.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import astuple, dataclass

from w365.errors import SourceChanged
from w365.http.attempts import KEPT

MOST_WALKS = 2
GOES_ON = "it says that it goes on, but not where."


class ListTally:
    """Counts the different records of a list over its pages, after the ``met`` of an earlier part of it.

    ``announced`` is the most that any page said there are, from the earlier part on. ``keys`` that no record shares
    need not be ids.
    """

    def __init__(self, met: int = 0, announced: int = 0) -> None:
        self._before = met
        self._keys: set[str] = set()
        self._was_short = False
        self._is_last_empty = False
        self.announced = announced

    @property
    def met(self) -> int:
        return self._before + len(self._keys)

    def add(self, keys: Iterable[str], announced: int | None = None, asked: int | None = None) -> int:
        """Count a page and return how many of its records are new; ``asked`` is how many it could have held."""
        page, before = list(keys), len(self._keys)
        again = len(page) - len(set(page))  # on one page the same twice is counted twice by the other side as well
        self._keys.update(page, (f"{before}+{number}" for number in range(again)))
        self.announced = max(self.announced, announced or 0)
        self._is_last_empty = not page
        if page:
            self._was_short = asked is not None and len(page) < asked
        return len(self._keys) - before

    @property
    def lack(self) -> str:
        """Return how the list that ends here is known not to be whole, as the end of a sentence; else nothing."""
        if self.met < self.announced:
            return f"it gave {self.met:,} of {self.announced:,}."
        if self._was_short and self._is_last_empty:
            return "a page held fewer than were asked for, and the next one nothing."
        return ""


@dataclass(frozen=True, slots=True)
class ListPlace:
    """Where a list that is read by place is to be read on: in which walk, and from which page; kept as a cursor.

    ``met`` are the records met before, each counted once over all walks, ``announced`` is the length of the list at the
    walk's first page; ``walked`` and ``most`` are the records of the walk's pages, and the greatest length that one of
    these announced.
    """

    walk: int = 1
    number: int = 0
    met: int = 0
    announced: int = 0
    walked: int = 0
    most: int = 0

    def after(self, records: int, total: int, *, fresh: int, is_last: bool) -> tuple[ListPlace | None, str]:
        """Return where to read on after a page of so many records, ``fresh`` of them new, of a list of ``total``.

        It is None at the end, with how the list is known not to be whole. One whose length changed, or that is longer
        than what came, is walked through once more: what slipped over the edge of a page is found then.
        """
        met = self.met + fresh
        announced = self.announced if self.number else total
        tally = ListTally(self.walked, self.most)
        tally.add(map(str, range(records)), total)
        if not is_last:
            return ListPlace(self.walk, self.number + 1, met, announced, tally.met, tally.announced), ""
        may_lack = total != announced or met < total
        if may_lack and self.walk < MOST_WALKS:
            return ListPlace(self.walk + 1, met=met), ""
        return None, tally.lack

    def to_cursor(self) -> str:
        return json.dumps(astuple(self))

    @staticmethod
    def from_cursor(cursor: str | None) -> ListPlace:
        """Return the place that a cursor holds; the beginning where it holds none."""
        try:
            parts = tuple(int(part) for part in json.loads(cursor or "[]"))
            return ListPlace(*parts) if all(part >= 0 for part in parts) else ListPlace()
        except (ValueError, TypeError):
            return ListPlace()


def refuse_lack(source: str, of_what: str, lack: str) -> None:
    """Raise SourceChanged for a list that is of no use unless it is whole."""
    if lack:
        raise SourceChanged(f"{source} did not list all {of_what}: {lack}", kept=KEPT)
