"""Find CRM accounts as an analyst types: by beginnings of words, domain or number, and in spite of a typing error.

What is shown first: the row's own candidates, an exact name or number, names that begin with the text, names that have
its words in any order, domains and numbers that begin with it, then accounts with other words (a city), and last what
was meant if words are mistyped. Each kind is asked for only until there are enough.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from w365.matching.typos import is_one_slip
from w365.model import Actor, Role
from w365.service import Service
from w365.service.access import require
from w365.store import tables as t
from w365.store.configuring.settings import read_policy
from w365.store.db.bound_ids import IDS
from w365.store.deciding.holders import read_holders
from w365.store.reading import account_search
from w365.store.reading.search_index import fold, parts_of, terms, words_of
from w365.store.reading.spelling import SHORTEST_TYPED, is_kept

_MOST_TERMS = 12
_MEANT = "Spelt a little differently"


class _Kind(enum.IntEnum):
    """In which way an account is found, the best first."""

    EXACT = 0
    BEGINS = 1
    WORDS = 2
    DOMAIN = 3
    OTHER = 4
    MISSPELT = 5


@dataclass(frozen=True, slots=True)
class Hit:
    """An account to choose from. `used_by` names a provider account it is mapped to where the policy is unique."""

    account_id: int
    name: str
    number: str
    city: str
    country: str
    domain: str
    is_active: bool
    score: float | None = None
    reasons: tuple[str, ...] = ()
    used_by: str = ""
    is_guess: bool = False  # what was typed is taken for a typing error

    @property
    def about(self) -> str:
        """What tells it from another of its name."""
        return " · ".join(part for part in (self.number, self.domain, self.city, self.country) if part)


def search_accounts(service: Service, actor: Actor, text: str, *, limit: int = 20, row: int | None = None) -> list[Hit]:
    """Rank accounts for what was typed, for a row of the grid if it is given; no text finds nothing."""
    require(actor, Role.VIEWER)
    wanted = list(dict.fromkeys(terms(text)))[:_MOST_TERMS]
    if not wanted:
        return []
    with service.store.read() as connection:
        account_search.plan_for_lookups(connection)
        return _Search(connection, text, wanted, limit, row).run()


def candidates_of(service: Service, actor: Actor, provider_account_id: int) -> list[Hit]:
    """The stored candidates of a provider account, the likeliest first, each with its reasons in words."""
    require(actor, Role.VIEWER)
    with service.store.read() as connection:
        return read_candidates(connection, provider_account_id)


def read_candidates(connection: sa.Connection, provider_account_id: int) -> list[Hit]:
    table = t.CurrentCandidate
    query = sa.select(table.account_id, table.score, table.signals).where(
        table.provider_account_id == provider_account_id
    )
    rows = connection.execute(query.order_by(table.rank)).all()
    reasons = {row.account_id: (row.score, tuple(text for _, _, text in row.signals)) for row in rows}
    return read_hits(connection, [row.account_id for row in rows], reasons, row=provider_account_id)


def read_hits(
    connection: sa.Connection,
    ids: Sequence[int],
    reasons: dict[int, tuple[float, tuple[str, ...]]] | None = None,
    *,
    row: int | None = None,
) -> list[Hit]:
    """Read these accounts in this order; deleted ones are left out. `row` is the row they are read for."""
    found, told = _read(connection, ids), reasons or {}
    used = read_holders(connection, read_policy(connection).cardinality, list(found), row)
    whole = []
    for one in (found[one] for one in ids if one in found):
        score, texts = told.get(one.account_id, (None, ()))
        whole.append(dataclasses.replace(one, score=score, reasons=texts, used_by=used.get(one.account_id, "")))
    return whole


def _read(connection: sa.Connection, ids: Sequence[int]) -> dict[int, Hit]:
    return {row[0]: Hit(*row) for row in connection.execute(_HITS, {"ids": list(ids)})}


_HITS = sa.select(
    t.Account.id,
    t.Account.name,
    t.Account.number,
    t.Account.city,
    t.Account.country,
    sa.case((t.Account.website_domain != "", t.Account.website_domain), else_=t.Account.email_domain),
    t.Account.is_active,
).where(t.Account.id.in_(IDS), ~t.Account.is_deleted)


class _Search:
    """One question: gathers hits kind by kind, the best kind first, until there are enough."""

    def __init__(
        self, connection: sa.Connection, text: str, wanted: Sequence[str], limit: int, row: int | None
    ) -> None:
        self.connection, self.wanted, self.limit, self.row = connection, wanted, limit, row
        self.text, self.key = text, fold(text)
        self.is_joined = len(wanted) == 1 and parts_of(wanted[0]) != [wanted[0]]  # as “contoso.” is, half a domain
        self.hits: dict[int, Hit] = {}
        self.misspelt: set[int] = set()

    def run(self) -> list[Hit]:
        first = self._own_candidates()
        self._gather(account_search.find_exact(self.connection, self.text))
        self._gather(account_search.find_by_start(self.connection, self.text, self.limit))
        if self._lacks():
            self._gather(account_search.find_by_words(self.connection, self.wanted, self.limit))
        if self._lacks():
            known = set(self.hits)
            self._gather(account_search.find_misspelt(self.connection, self.wanted))
            self.misspelt = self.hits.keys() - known
        others = sorted((hit for one, hit in self.hits.items() if one not in first), key=self._place)
        return [*first.values(), *self._shown(others)][: self.limit]

    def _lacks(self) -> bool:
        return len(self.hits) < self.limit

    def _gather(self, ids: Sequence[int]) -> None:
        self.hits |= _read(self.connection, [one for one in dict.fromkeys(ids) if one not in self.hits])

    def _own_candidates(self) -> dict[int, Hit]:
        """The row's candidates that have what was typed, in their own order."""
        own = {} if self.row is None else {hit.account_id: hit for hit in read_candidates(self.connection, self.row)}
        words = account_search.words_by_account(self.connection, list(own))
        return {one: hit for one, hit in own.items() if all(_fits(term, words[one]) for term in self.wanted)}

    def _shown(self, hits: Sequence[Hit]) -> list[Hit]:
        shown = hits[: self.limit]
        default = read_policy(self.connection).cardinality
        used = read_holders(self.connection, default, [hit.account_id for hit in shown], self.row)
        return [
            dataclasses.replace(
                hit,
                used_by=used.get(hit.account_id, ""),
                reasons=(_MEANT,) if hit.account_id in self.misspelt else (),
                is_guess=hit.account_id in self.misspelt,
            )
            for hit in shown
        ]

    def _place(self, hit: Hit) -> tuple[_Kind, bool, int, str, int]:
        name, kind = fold(hit.name), self._kind(hit)
        # Beginnings stand in the order in which they are read; of other names the shorter ones are nearer.
        return kind, not hit.is_active, 0 if kind is _Kind.BEGINS else len(name), name, hit.account_id

    def _kind(self, hit: Hit) -> _Kind:
        name, number = fold(hit.name), fold(hit.number)
        if self.key in (name, number):
            return _Kind.EXACT
        if hit.account_id in self.misspelt:
            return _Kind.MISSPELT
        is_domain = any(one.startswith(self.key) for one in (hit.domain, number))
        if name.startswith(self.key) or (is_domain and self.is_joined):
            return _Kind.BEGINS
        words = words_of([hit.name])
        if all(_holds(term, words) for term in self.wanted):
            return _Kind.WORDS
        return _Kind.DOMAIN if is_domain else _Kind.OTHER


def _holds(term: str, words: set[str]) -> bool:
    """Whether a word begins with the term, or words with all its parts."""
    return _begins_one(term, words) or all(_begins_one(part, words) for part in parts_of(term) or [term])


def _begins_one(start: str, words: set[str]) -> bool:
    return any(word.startswith(start) for word in words)


def _fits(term: str, words: set[str]) -> bool:
    """Whether the term is held, or meant with one slip."""
    is_long = len(term) >= SHORTEST_TYPED
    return _holds(term, words) or (is_long and any(is_kept(word) and is_one_slip(term, word) for word in words))
