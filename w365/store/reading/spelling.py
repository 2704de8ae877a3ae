"""Which words of accounts a mistyped word may mean, from a table of each word once.

A slip spoils one half of a word and leaves the other: the words that begin with the first half or end with the second
are few, two ranges of an index, and each is compared. The ranges hold words of about the same length only.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

import sqlalchemy as sa

from w365.matching.typos import is_one_slip
from w365.store.db.bulk_insert import upsert
from w365.store.tables import Spelling

SHORTEST_TYPED = 4
_SHORTEST, _LONGEST = 3, 40
_MOST_COMPARED = 4_000
_MOST_MEANT = 24
_AFTER_ALL = "\U0010ffff"


def learn_words(connection: sa.Connection, words: Iterable[str]) -> None:
    """Add words; those of letters alone are kept. A word that no account has any more stays and finds nothing."""
    rows = [(word, len(word), word[::-1]) for word in sorted(words) if is_kept(word)]
    upsert(connection, Spelling, ("word", "letters", "backward"), rows)


def is_kept(word: str) -> bool:
    return _SHORTEST <= len(word) <= _LONGEST and word.isalpha()


def words_meant(connection: sa.Connection, typed: str) -> list[str]:
    """The words one slip away, those of the same length first; none for less than four letters."""
    if not SHORTEST_TYPED <= len(typed) <= _LONGEST or not any(c.isalpha() for c in typed):
        return []
    near = {word for word in connection.scalars(_sharing_a_half(), _halves(typed)) if is_one_slip(typed, word)}
    return sorted(near, key=lambda word: (len(word) != len(typed), word))[:_MOST_MEANT]


def _halves(typed: str) -> dict[str, str | int]:
    """What `_sharing_a_half` is asked with."""
    middle = len(typed) // 2
    head, tail = typed[:middle], typed[middle:]
    # Swapped in the very middle, both halves are spoilt, and only one word can be meant.
    swapped = head[:-1] + tail[0] + head[-1] + tail[1:]
    tail = tail[::-1]
    values = {"swapped": swapped, "head": head, "after_head": head + _AFTER_ALL}
    values |= {"tail": tail, "after_tail": tail + _AFTER_ALL}
    return {**values, "shorter": len(typed) - 1, "as_long": len(typed), "longer": len(typed) + 1}


@functools.cache
def _sharing_a_half() -> sa.CompoundSelect[str]:
    ranges = [
        _beginning(column, part, letters)
        for column, part in ((Spelling.word, "head"), (Spelling.backward, "tail"))
        for letters in ("shorter", "as_long", "longer")
    ]
    return sa.union(sa.select(Spelling.word).where(Spelling.word == sa.bindparam("swapped")), *ranges)


def _beginning(column: sa.orm.InstrumentedAttribute[str], part: str, letters: str) -> sa.Select[str]:
    """Select the words of so many letters that begin with a part, both by the name of the value that says it."""
    is_in_range = (column >= sa.bindparam(part), column < sa.bindparam(f"after_{part}"))
    conditions = (Spelling.letters == sa.bindparam(letters), *is_in_range)
    few = sa.select(Spelling.word).where(*conditions).order_by(column).limit(_MOST_COMPARED).subquery()
    return sa.select(few.c.word)
