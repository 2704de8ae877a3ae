"""What a run counts. The words stand in its row, in what the command line answers and in a webhook's body."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Mapping


class Count(enum.StrEnum):
    """What was counted: customers of a sync or import, records of the CRM, rows of a match or a change, lines."""

    NEW = enum.auto()
    CHANGED = enum.auto()
    UNCHANGED = enum.auto()
    GONE = enum.auto()
    RETURNED = enum.auto()
    REJECTED = enum.auto()
    INCOMPLETE = enum.auto()  # without all details
    WITHOUT_DOMAINS = enum.auto()  # without all of them, as the provider did not tell them
    WITHOUT_SUBSCRIPTIONS = enum.auto()  # likewise
    LEFT_ALONE = enum.auto()  # a person switched their sync off
    MISSING = enum.auto()  # not met by a sync that the guard stopped
    UNKNOWN_FIELDS = enum.auto()  # members of records that nobody here knows
    BY_CHANGES = enum.auto()  # 1 where a sync read only what the record of changes names, and what is new
    GAPS_ONLY = enum.auto()  # 1 where a sync read only what the one before could not read, and what is new
    NO_FEED = enum.auto()  # 1 where that was wanted, but the record of changes could not be read

    ACCOUNTS_NEW = enum.auto()
    ACCOUNTS_CHANGED = enum.auto()
    ACCOUNTS_UNCHANGED = enum.auto()
    ACCOUNTS_GONE = enum.auto()
    ACCOUNTS_REJECTED = enum.auto()
    CONTACTS_NEW = enum.auto()
    CONTACTS_CHANGED = enum.auto()
    CONTACTS_UNCHANGED = enum.auto()
    CONTACTS_GONE = enum.auto()
    CONTACTS_REJECTED = enum.auto()

    MAPPED = enum.auto()  # by this run
    MAPPED_IN_ALL = enum.auto()
    CONFLICT = enum.auto()
    UNMAPPED = enum.auto()
    EXCLUDED = enum.auto()
    PARKED = enum.auto()
    SUGGESTED = enum.auto()
    DRIFTED = enum.auto()

    ROWS_CHANGED = enum.auto()
    TAKEN_BACK = enum.auto()
    LEFT = enum.auto()

    REPLACED = enum.auto()
    SAME = enum.auto()
    AGAINST_EVIDENCE = enum.auto()
    DIFFERENT = enum.auto()
    REJECTED_PAIR = enum.auto()
    SET_ASIDE = enum.auto()
    BREACH = enum.auto()
    WITHOUT_ACCOUNT = enum.auto()

    DECISIONS = enum.auto()  # that were learned from
    LEARNED = enum.auto()  # 1 where the learned weights are better and are used

    READ = enum.auto()
    WRITTEN = enum.auto()
    FAILED = enum.auto()
    DIFFERS = enum.auto()
    FAILURES = enum.auto()  # write-backs that failed one after another, this one among them


Counts = Counter[Count]
"""0 is said of what was not counted; what was counted and came to 0 is in it."""

GAPS = (Count.WITHOUT_DOMAINS, Count.WITHOUT_SUBSCRIPTIONS)
"""A sync that counted any of these is done with gaps."""

_BY_WORD = {count.value: count for count in Count}


def read_counts(stored: Mapping[str, int]) -> Counts:
    """Read the counts of a row; words that are no longer counted are left out."""
    return Counter({_BY_WORD[word]: amount for word, amount in stored.items() if word in _BY_WORD})


def as_words(counts: Counts) -> dict[str, int]:
    """What is counted, for JSON."""
    return {count.value: amount for count, amount in counts.items()}


def counts_of(counts: Counts, table: str) -> Counts:
    """What a sync of the CRM counted of its `accounts` or `contacts`, under the words of a sync of customers."""
    prefix = f"{table}_"
    return read_counts({word.removeprefix(prefix): counts[word] for word in counts if word.startswith(prefix)})
