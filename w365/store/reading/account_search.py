"""Find accounts for what is typed, reading a bounded part of the index however many accounts match.

Every question is a range of an index with a limit. For several words the rarest is read and the others are asked of
what it finds. Two words that are both beginnings of more than `_COMMON` words are not crossed completely: the first
of them that have both are found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from w365.store.reading.search_index import fold_text, parts_of, sort_key
from w365.store.reading.spelling import words_meant
from w365.store.tables import ACCOUNT, Account, Word

MOST_FOUND = 120
_RARE, _COMMON = 2_000, 40_000
_READ_OF_COMMON = 8_000
_MOST_EXACT = 100
_LONGEST = 80
_AFTER_ALL = "\U0010ffff"
_PLANNING = (("random_page_cost", "1.1"), ("enable_seqscan", "off"))
"""On PostgreSQL: with the costs of turning disks it read every account that has the second word of two."""

Having = Callable[[Any], sa.ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class _Term:
    """A part of what was typed between blanks, and how many index entries begin with it, counted up to a bound.

    `parts` are those of “O'Neill”, which is also looked for as a whole, as domains and numbers are kept.
    """

    text: str
    parts: tuple[str, ...]
    entries: int


def plan_for_lookups(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":
        for name, value in _PLANNING:
            connection.exec_driver_sql(f"SET LOCAL {name} = {value}")


def find_exact(connection: sa.Connection, text: str) -> list[int]:
    """Accounts with exactly this name, number, domain or word, however many others begin like it."""
    named = sa.select(Account.id).where(Account.name_key == sort_key(text), ~Account.is_deleted).limit(_MOST_EXACT)
    whole = (
        sa.select(Word.id).where(Word.subject == ACCOUNT, Word.word == fold_text(text)[:_LONGEST]).limit(_MOST_EXACT)
    )
    return [*connection.scalars(named), *connection.scalars(whole)]


def find_by_start(connection: sa.Connection, text: str, most: int) -> list[int]:
    """The first accounts whose name begins with the text, in the order of their names."""
    key = sort_key(text)
    query = sa.select(Account.id).where(Account.name_key >= key, Account.name_key < key + _AFTER_ALL)
    query = query.where(~Account.is_deleted).order_by(Account.name_key, Account.id).limit(most)
    return list(connection.scalars(query))


def find_by_words(connection: sa.Connection, terms: Sequence[str], enough: int) -> list[int]:
    """Accounts that have, for each term, a word that begins with it; the rarest term leads.

    Of common terms a part is read first, in which accounts that have all of them are soon met if they are many.
    """
    measured = _by_rarity(connection, terms, _RARE)
    most = _RARE if len(measured) > 1 else MOST_FOUND
    accounts = _with_all(connection, measured, most)
    if len(accounts) < enough and len(measured) > 1 and measured[0].entries > _RARE:
        measured = _by_rarity(connection, terms, _COMMON)
        accounts += _crossed(connection, measured)
        if measured[0].entries > _COMMON:
            accounts += _beginning_with_one(connection, measured)
    return list(dict.fromkeys(accounts))


def _by_rarity(connection: sa.Connection, terms: Sequence[str], most: int) -> list[_Term]:
    measured = (_measure(connection, term, most) for term in terms)
    return sorted(measured, key=lambda term: (term.entries, -len(term.text)))


def _with_all(connection: sa.Connection, terms: Sequence[_Term], most: int) -> list[int]:
    """Of the first entries of the first term, the accounts that have the others, looked up one by one."""
    first, *others = terms
    needed = [_holds(term) for term in (terms if len(first.parts) > 1 else others)]
    return _among(connection, _entries(first, most), needed)


def _crossed(connection: sa.Connection, terms: Sequence[_Term]) -> list[int]:
    """The same of more entries, in one go with the terms that are not too common for it."""
    first, *others = terms
    if first.entries > _COMMON or first.parts:
        return _with_all(connection, terms, _READ_OF_COMMON)
    needed = [_is_among(term) if term.entries <= _COMMON and not term.parts else _holds(term) for term in others]
    most = _COMMON if others[-1].entries <= _COMMON else _READ_OF_COMMON
    return _among(connection, _entries(first, most), needed)


def find_misspelt(connection: sa.Connection, terms: Sequence[str]) -> list[int]:
    """Accounts that have the words if one or more of them are mistyped by one slip each."""
    meant = {term: words_meant(connection, term) for term in terms}
    measured = [_measure(connection, term, _RARE) for term in terms]
    accounts: list[int] = []
    for term in [term for term in measured if meant[term.text]]:
        needed = [_holds_or_means(other, meant[other.text]) for other in measured if other is not term]
        of_meant = sa.select(Word.id).where(Word.subject == ACCOUNT, Word.word.in_(meant[term.text]))
        accounts += _among(connection, of_meant.limit(_READ_OF_COMMON if needed else MOST_FOUND), needed)
    return list(dict.fromkeys(accounts))


def words_by_account(connection: sa.Connection, ids: Sequence[int]) -> dict[int, set[str]]:
    words: dict[int, set[str]] = {account_id: set() for account_id in ids}
    for row in connection.execute(sa.select(Word.id, Word.word).where(Word.subject == ACCOUNT, Word.id.in_(ids))):
        words[row.id].add(row.word)
    return words


def _measure(connection: sa.Connection, text: str, most: int) -> _Term:
    parts = parts_of(text)
    if parts in ([], [text]):
        return _Term(text, (), _count(connection, text, most))
    counts = sorted((_count(connection, part, most), part) for part in set(parts))
    return _Term(text, tuple(part for _, part in counts), counts[0][0] + _count(connection, text, most))


def _count(connection: sa.Connection, prefix: str, most: int) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(_range(prefix, most + 1).subquery())) or 0


def _among(connection: sa.Connection, entries: sa.SelectBase, needed: Sequence[Having]) -> list[int]:
    """The accounts of these index entries that have what else is needed, the first of them."""
    entry = entries.subquery().c
    query = sa.select(entry.id).where(*(having(entry.id) for having in needed)).limit(MOST_FOUND)
    return list(connection.scalars(query))


def _entries(term: _Term, most: int) -> sa.SelectBase:
    whole = _range(term.text, most)
    if not term.parts:
        return whole
    of_part = _range(term.parts[0], most)
    return sa.union_all(sa.select(whole.subquery().c.id), sa.select(of_part.subquery().c.id))


def _range(prefix: str, most: int) -> sa.Select[int]:
    return sa.select(Word.id).where(Word.subject == ACCOUNT, *_begins(Word, prefix)).order_by(Word.word).limit(most)


def _begins(word: Any, prefix: str) -> tuple[sa.ColumnElement[bool], ...]:
    start = prefix[:_LONGEST]
    return word.word >= start, word.word < start + _AFTER_ALL


def _holds(term: _Term) -> Having:
    """Whether an account has the term, looked up for each."""
    return lambda account_id: sa.or_(_has(account_id, term.text), *_has_parts(account_id, term))


def _is_among(term: _Term) -> Having:
    """The same, of a term that is read as a whole."""
    return lambda account_id: account_id.in_(_range(term.text, _COMMON))


def _has_parts(account_id: Any, term: _Term) -> list[sa.ColumnElement[bool]]:
    return [sa.and_(*(_has(account_id, part) for part in term.parts))] if term.parts else []


def _holds_or_means(term: _Term, meant: Sequence[str]) -> Having:
    holds = _holds(term)
    word = sa.orm.aliased(Word)
    return lambda account_id: sa.or_(
        holds(account_id), sa.exists().where(word.subject == ACCOUNT, word.id == account_id, word.word.in_(meant))
    )


def _has(account_id: Any, prefix: str) -> sa.ColumnElement[bool]:
    word = sa.orm.aliased(Word)
    return sa.exists().where(word.subject == ACCOUNT, word.id == account_id, *_begins(word, prefix))


def _beginning_with_one(connection: sa.Connection, terms: Sequence[_Term]) -> list[int]:
    """Of the first names that begin with one of several common words, those with all: these are ranked first."""
    accounts: list[int] = []
    for term in terms:
        key = sort_key(term.text)
        start = sa.select(Account.id).where(Account.name_key >= key, Account.name_key < key + _AFTER_ALL)
        start = start.order_by(Account.name_key).limit(_RARE)
        accounts += _among(connection, start, [_holds(other) for other in terms if other is not term])
    return accounts
