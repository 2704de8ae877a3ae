"""Unit words: what firms of one group add to their common name, learned from the accounts that share a domain.

*Bergmann Holding* and *Bergmann Logistik* share a domain and all words but one each. A word that tells firms apart on
two domains or more is a unit word in this CRM; names that differ in such words alone are two firms, not one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

from w365.matching.names import content_words, name_forms

MOST_ON_A_DOMAIN = 9
"""So many accounts may be one group; more are a domain that many share."""
LEAST_DOMAINS = 2


def telling_words(names: Sequence[str]) -> frozenset[str]:
    """Give the words by which names of accounts on one domain differ, a word each at the most, beside common ones."""
    if not 2 <= len(names) <= MOST_ON_A_DOMAIN:
        return frozenset()
    words = [unit_words_of(name) for name in names]
    pairs = (_differing(one, other) for one, other in combinations(words, 2))
    return frozenset().union(*pairs)


def unit_words_of(name: str) -> frozenset[str]:
    """Give the words of a name among which unit words are: folded, in its own language."""
    return frozenset(content_words(name_forms(name).folded))


def _differing(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    is_pair = one & other and len(one - other) <= 1 and len(other - one) <= 1
    return one ^ other if is_pair else frozenset()


def are_units(ours: Iterable[str], theirs: Iterable[str], units: frozenset[str]) -> bool:
    """Whether two names share a word and differ in unit words alone, each with one of its own."""
    one, other = set(ours), set(theirs)
    mine, yours = one - other, other - one
    return bool(mine and yours) and len(mine) < len(one) and mine <= units and yours <= units
