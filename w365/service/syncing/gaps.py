"""What a sync could not read of its customers: how many lack what, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from w365.portals.gaps import DEFAULT_ONLY, NO_DOMAINS, NO_SUBSCRIPTIONS, Gap, gaps_in
from w365.store.run_counts import Count, Counts

_MOST_SAID = 5
_NEXT = "What is stored of them is kept. The next sync asks for these customers only, a full one for all."
_LACKS = {
    NO_DOMAINS: "their domains were not read",
    DEFAULT_ONLY: "only the default domain is known",
    NO_SUBSCRIPTIONS: "their subscriptions were not read",
}


def tally_gaps(notes: Mapping[str, int]) -> Counter[Gap]:
    """Count the customers that each gap is of; ``notes`` is how many have which note.

    Of who is no customer any more nothing is missing.
    """
    tally: Counter[Gap] = Counter()
    for note, customers in notes.items():
        for gap in gaps_in(note):
            tally[gap] += customers if gap.may_be_filled else 0
    return +tally


def count_gaps(tally: Mapping[Gap, int]) -> Counts:
    counts: Counts = Counter()
    for gap, customers in tally.items():
        counts[Count.WITHOUT_DOMAINS if gap.is_of_domains else Count.WITHOUT_SUBSCRIPTIONS] += customers
    return counts


def say_gaps(tally: Counter[Gap]) -> str:
    """Say how many customers lack what and why, and what the next sync does about it; nothing where none do."""
    if not tally:
        return ""
    said = [_say(gap, customers) for gap, customers in tally.most_common(_MOST_SAID)]
    more = len(tally) - len(said)
    said += [f"And {more:,} more reasons."] if more else []
    return " ".join((*said, _NEXT))


def _say(gap: Gap, customers: int) -> str:
    counted = "1 customer" if customers == 1 else f"{customers:,} customers"
    return f"Of {counted} {_LACKS[gap.what]}: {gap.why}"
