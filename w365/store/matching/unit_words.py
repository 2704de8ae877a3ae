"""Unit words of this CRM, kept up to date with the accounts that share a domain (`w365.matching.unit_words`).

`unit_word` holds, for each domain of a few accounts, the words by which their names differ; a word of two domains or
more is a unit word. When one becomes or ceases to be, the rows it can concern are touched.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator, Sequence

import sqlalchemy as sa

from w365.matching.domains import FREE_MAIL
from w365.matching.unit_words import LEAST_DOMAINS, MOST_ON_A_DOMAIN, telling_words
from w365.store import tables as t
from w365.store.db.bound_ids import IDS, NAMES
from w365.store.db.bulk_insert import chunks, upsert
from w365.store.matching.candidates import order_candidates
from w365.store.matching.dirty_rows import touch_rows

_LONGEST = 80
"""Letters of a word, as the words of search are cut."""


def read_units(connection: sa.Connection) -> frozenset[str]:
    """Read the unit words."""
    return frozenset(connection.scalars(units()))


@functools.cache
def units() -> sa.Select[str]:
    """Select the unit words."""
    return sa.select(t.UnitWord.word).group_by(t.UnitWord.word).having(sa.func.count() >= LEAST_DOMAINS)


def learn_units(connection: sa.Connection, account_ids: Sequence[int], domains: Iterable[str]) -> None:
    """Learn anew from the domains of these accounts and from these domains; touch whom a changed unit word concerns."""
    names = {name for part in chunks(account_ids) for name in connection.scalars(_DOMAINS_OF, {"ids": part})}
    for part in chunks(sorted(names.union(domains) - FREE_MAIL)):
        before = {(row.word, row.domain) for row in connection.execute(_LEARNED, {"names": part})}
        after = {(word, name) for name, words in _words_by_domain(connection, part) for word in words}
        if before != after:
            _replace(connection, before - after, after - before)


def _replace(connection: sa.Connection, gone: set[_Learned], new: set[_Learned]) -> None:
    changed = sorted({word for word, _ in gone | new})
    were = set(connection.scalars(_units_among(), {"names": changed}))
    for word, domain in sorted(gone):
        connection.execute(_FORGET, {"of_word": word, "of_domain": domain})
    upsert(connection, t.UnitWord, ("word", "domain"), sorted(new))
    are = set(connection.scalars(_units_among(), {"names": changed}))
    if flipped := sorted(were ^ are):
        touch_rows(connection, _concerned(), {"names": flipped})
        order_candidates(connection, sa.select(_concerned().subquery().c[0]), {"names": flipped})


def learn_all_units(connection: sa.Connection) -> None:
    """Learn from all domains anew; the caller touches all rows."""
    connection.execute(sa.delete(t.UnitWord))
    learned = ((word, domain) for domain, words in _words_by_domain(connection, None) for word in sorted(words))
    for part in chunks(learned):
        upsert(connection, t.UnitWord, ("word", "domain"), part)


def _words_by_domain(connection: sa.Connection, domains: Sequence[str] | None) -> Iterator[tuple[str, frozenset[str]]]:
    """Give the words by which the accounts on each of these domains (all when None) differ, where there are any."""
    rows = connection.execute(_names_by_domain(of_all=domains is None), {"names": domains} if domains else None)
    for domain, accounts in itertools.groupby(rows, key=lambda row: str(row.domain)):
        if domain not in FREE_MAIL and (words := telling_words([row.name for row in accounts])):
            yield domain, frozenset(word for word in words if len(word) <= _LONGEST)


@functools.cache
def _names_by_domain(*, of_all: bool) -> sa.Select[str, str]:
    ad, account = t.AccountDomain, t.Account
    which = sa.true() if of_all else ad.domain.in_(NAMES)
    few = sa.select(ad.domain).where(which).group_by(ad.domain)
    few = few.having(sa.func.count(sa.distinct(ad.account_id)).between(2, MOST_ON_A_DOMAIN))
    names = sa.select(ad.domain, account.id, account.name).distinct().join(account, account.id == ad.account_id)
    ordered = names.where(ad.domain.in_(few)).order_by(ad.domain, account.id).subquery().c
    return sa.select(ordered.domain, ordered.name).order_by(ordered.domain, ordered.id)


@functools.cache
def _units_among() -> sa.Select[str]:
    return units().where(t.UnitWord.word.in_(NAMES))


@functools.cache
def _concerned() -> sa.CompoundSelect[int]:
    """Select the customers with one of these words, and those to whom an account with one is proposed or suggested."""
    word, proposal, candidate = t.Word, t.CurrentProposal, t.CurrentCandidate
    customers = sa.select(word.id).where(word.subject == t.PROVIDER_ACCOUNT, word.word.in_(NAMES))
    accounts = sa.select(word.id).where(word.subject == t.ACCOUNT, word.word.in_(NAMES))
    return sa.union(
        customers,
        sa.select(proposal.provider_account_id).where(proposal.account_id.in_(accounts)),
        sa.select(candidate.provider_account_id).where(candidate.account_id.in_(accounts)),
    )


_Learned = tuple[str, str]
"""A word and the domain at which it tells accounts apart."""

_DOMAINS_OF = sa.select(t.AccountDomain.domain).where(t.AccountDomain.account_id.in_(IDS))
_LEARNED = sa.select(t.UnitWord.word, t.UnitWord.domain).where(t.UnitWord.domain.in_(NAMES))
_FORGET = sa.delete(t.UnitWord).where(
    t.UnitWord.word == sa.bindparam("of_word"), t.UnitWord.domain == sa.bindparam("of_domain")
)
