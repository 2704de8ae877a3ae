"""Find rows by the words of their names, in plain tables on every database: a prefix is a range of the index."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

import sqlalchemy as sa

from w365.store.db.bound_ids import IDS
from w365.store.db.bulk_insert import chunks, upsert
from w365.store.reading.spelling import learn_words
from w365.store.tables import ACCOUNT, Word, WordSubject

_LONGEST = 80
_SPLIT = re.compile(r"[^\w]+")


def fold_text(text: str) -> str:
    """Lower case without accents, one blank between words: what is equal here is equal to a searching person."""
    if text.isascii():  # most are, and then there is nothing to take apart
        return " ".join(text.lower().split())
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).split())


def sort_key(name: str) -> str:
    return fold_text(name)[:400]


def words_of(names: Iterable[str], wholes: Iterable[str] = ()) -> set[str]:
    """The words a row is found by: every word of its names, and domains and ids as a whole.

    A domain is not cut, or two letters such as "co" would find every .com.
    """
    words = {part[:_LONGEST] for name in names for part in _SPLIT.split(fold_text(name)) if part}
    words.update(fold_text(whole)[:_LONGEST] for whole in wholes if whole)
    return words


def put_words(connection: sa.Connection, subject: WordSubject, words: Iterable[tuple[int, set[str]]]) -> None:
    """Bring the words of the given rows up to date: pairs of id and `words_of` it. What stays is not written."""
    for part in chunks(words):
        if subject == ACCOUNT:
            learn_words(connection, {word for _, of in part for word in of})
        words = {(word, row_id) for row_id, of in part for word in of}
        asked = {"of_subject": subject, "ids": [row_id for row_id, _ in part]}
        stored = {(row.word, row.id) for row in connection.execute(_STORED, asked)}
        if left := stored - words:
            rows = [{"of_subject": subject, "of_word": word, "of_id": row_id} for word, row_id in left]
            connection.execute(_FORGET, rows)
        upsert(connection, Word, ("subject", "word", "id"), [(subject, *row) for row in words - stored])


_STORED = sa.select(Word.word, Word.id).where(Word.subject == sa.bindparam("of_subject"), Word.id.in_(IDS))
_FORGET = sa.delete(Word).where(
    Word.subject == sa.bindparam("of_subject"), Word.word == sa.bindparam("of_word"), Word.id == sa.bindparam("of_id")
)


def search_terms(text: str) -> list[str]:
    """Cut what a person typed at its blanks; each term must be found. The sign in “Smith & Sons” is no term."""
    parts = fold_text(text).split()
    return [term for term in parts if _SPLIT.sub("", term)] or parts


def parts_of(term: str) -> list[str]:
    return [part for part in _SPLIT.split(term) if part]


def ids_found_by(subject: WordSubject, term: str) -> sa.SelectBase:
    """Select the ids of rows found by a term: as the beginning of a word, or with the beginnings of all its parts.

    The parts find “O'Neill” and “Müller-Lang” as they are written, the whole finds domains and ids.
    """
    parts = parts_of(term)
    if parts in ([], [term]):
        return ids_with_prefix(subject, term)
    by_parts = ids_with_prefix(subject, parts[0])
    for part in parts[1:]:
        by_parts = by_parts.where(Word.id.in_(ids_with_prefix(subject, part)))
    return ids_with_prefix(subject, term).union(by_parts)


def ids_with_prefix(subject: WordSubject, prefix: str) -> sa.Select[int]:
    """Select the ids of rows that have a word beginning with `prefix` (folded)."""
    start = prefix[:_LONGEST]
    return sa.select(Word.id).where(Word.subject == subject, Word.word >= start, Word.word < start + "\U0010ffff")
