"""Find CRM accounts as an analyst types: by beginnings of words, domain or number, and in spite of a typing error.

What is shown first: the row's own candidates, an exact name or number, names that begin with the text, names that have
its words in any order, domains and numbers that begin with it, then accounts with other words (a city), and last what
was meant if words are mistyped. Each kind is asked for only until there are enough.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping, Sequence

from w365.matching.typos import is_one_slip
from w365.model import Actor, Role
from w365.service import Service
from w365.service.access import needs
from w365.store.configuring.settings import read_policy
from w365.store.db.engine import Connection
from w365.store.matching.cardinality import read_holders
from w365.store.reading import account_search
from w365.store.reading.account_hits import Hit, Score, read_hits, read_scores
from w365.store.reading.search_index import fold_text, parts_of, search_terms, words_of
from w365.store.reading.spelling import SHORTEST_TYPED, is_kept

_MOST_TERMS = 12
_MEANT = "Spelt a little differently"
_NO_SCORES: Mapping[int, Score] = {}


class _Kind(enum.IntEnum):
    """In which way an account is found, the best first."""

    EXACT = 0
    BEGINS = 1
    WORDS = 2
    DOMAIN = 3
    OTHER = 4
    MISSPELT = 5


@needs(Role.VIEWER)
def search_accounts(service: Service, actor: Actor, text: str, *, limit: int = 20, row: int | None = None) -> list[Hit]:
    """Rank accounts for what was typed, for a row of the grid if it is given; no text finds nothing."""
    typed = list(dict.fromkeys(search_terms(text)))[:_MOST_TERMS]
    if not typed:
        return []
    with service.store.read() as connection:
        account_search.plan_for_lookups(connection)
        return _Search(connection, text, typed, limit, row).run()


@needs(Role.VIEWER)
def candidates_of(service: Service, actor: Actor, provider_account_id: int) -> list[Hit]:
    """The stored candidates of a provider account, the likeliest first, each with its reasons in words."""
    with service.store.read() as connection:
        return read_candidates(connection, provider_account_id)


def read_candidates(connection: Connection, provider_account_id: int) -> list[Hit]:
    scores = read_scores(connection, provider_account_id)
    return read_choices(connection, list(scores), scores, row=provider_account_id)


def read_choices(
    connection: Connection, ids: Sequence[int], scores: Mapping[int, Score] = _NO_SCORES, *, row: int | None = None
) -> list[Hit]:
    """Read these accounts in this order, with who holds them; deleted ones are left out. `row` is whom they are for."""
    hits = read_hits(connection, ids)
    holders = read_holders(connection, read_policy(connection).cardinality, list(hits), row)
    return [
        dataclasses.replace(
            hits[account_id],
            score=scores[account_id].score if account_id in scores else None,
            reasons=scores[account_id].reasons if account_id in scores else (),
            used_by=holders.get(account_id, ""),
        )
        for account_id in ids
        if account_id in hits
    ]


class _Search:
    """One question: gathers hits kind by kind, the best kind first, until there are enough."""

    def __init__(self, connection: Connection, text: str, typed: Sequence[str], limit: int, row: int | None) -> None:
        self.connection, self.typed, self.limit, self.row = connection, typed, limit, row
        self.text, self.key = text, fold_text(text)
        self.is_joined = len(typed) == 1 and parts_of(typed[0]) != [typed[0]]  # as “contoso.” is, half a domain
        self.hits: dict[int, Hit] = {}
        self.misspelt: set[int] = set()

    def run(self) -> list[Hit]:
        first = self._own_candidates()
        self._gather(account_search.find_exact(self.connection, self.text))
        self._gather(account_search.find_by_start(self.connection, self.text, self.limit))
        if self._lacks():
            self._gather(account_search.find_by_words(self.connection, self.typed, self.limit))
        if self._lacks():
            known = set(self.hits)
            self._gather(account_search.find_misspelt(self.connection, self.typed))
            self.misspelt = self.hits.keys() - known
        others = sorted((hit for account_id, hit in self.hits.items() if account_id not in first), key=self._place)
        return [*first.values(), *self._shown(others)][: self.limit]

    def _lacks(self) -> bool:
        return len(self.hits) < self.limit

    def _gather(self, ids: Sequence[int]) -> None:
        new = [account_id for account_id in dict.fromkeys(ids) if account_id not in self.hits]
        self.hits |= read_hits(self.connection, new)

    def _own_candidates(self) -> dict[int, Hit]:
        """The row's candidates that have what was typed, in their own order."""
        own = {} if self.row is None else {hit.account_id: hit for hit in read_candidates(self.connection, self.row)}
        words = account_search.words_by_account(self.connection, list(own))
        return {
            account_id: hit
            for account_id, hit in own.items()
            if all(_fits(term, words[account_id]) for term in self.typed)
        }

    def _shown(self, hits: Sequence[Hit]) -> list[Hit]:
        shown = hits[: self.limit]
        default = read_policy(self.connection).cardinality
        holders = read_holders(self.connection, default, [hit.account_id for hit in shown], self.row)
        return [
            dataclasses.replace(
                hit,
                used_by=holders.get(hit.account_id, ""),
                reasons=(_MEANT,) if hit.account_id in self.misspelt else (),
                is_guess=hit.account_id in self.misspelt,
            )
            for hit in shown
        ]

    def _place(self, hit: Hit) -> tuple[_Kind, bool, int, str, int]:
        name, kind = fold_text(hit.name), self._kind(hit)
        # Beginnings stand in the order in which they are read; of other names the shorter ones are nearer.
        return kind, not hit.is_active, 0 if kind is _Kind.BEGINS else len(name), name, hit.account_id

    def _kind(self, hit: Hit) -> _Kind:
        name, number = fold_text(hit.name), fold_text(hit.number)
        if self.key in (name, number):
            return _Kind.EXACT
        if hit.account_id in self.misspelt:
            return _Kind.MISSPELT
        is_domain = any(text.startswith(self.key) for text in (hit.domain, number))
        if name.startswith(self.key) or (is_domain and self.is_joined):
            return _Kind.BEGINS
        words = words_of([hit.name])
        if all(_holds(term, words) for term in self.typed):
            return _Kind.WORDS
        return _Kind.DOMAIN if is_domain else _Kind.OTHER


def _holds(term: str, words: set[str]) -> bool:
    """Whether a word begins with the term, or words with all its parts."""
    return _begins_any(term, words) or all(_begins_any(part, words) for part in parts_of(term) or [term])


def _begins_any(start: str, words: set[str]) -> bool:
    return any(word.startswith(start) for word in words)


def _fits(term: str, words: set[str]) -> bool:
    """Whether the term is held, or meant with one slip."""
    is_long = len(term) >= SHORTEST_TYPED
    return _holds(term, words) or (is_long and any(is_kept(word) and is_one_slip(term, word) for word in words))
