"""Rows written in bulk on PostgreSQL pass through a stage that stays with its connection and never keeps a row."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from w365.store import tables as t
from w365.store.bulk import upsert
from w365.store.engine import Store

COLUMNS = ("subject", "word", "id")


def words(store: Store) -> list[tuple[str, int]]:
    with store.read() as connection:
        rows = connection.execute(sa.select(t.Word.word, t.Word.id).order_by(t.Word.word, t.Word.id))
        return [(row.word, row.id) for row in rows]


def write_and_fail(store: Store) -> None:
    with store.write() as connection:
        upsert(connection, t.Word, COLUMNS, [("p", "one", 1)])
        raise KeyError


@pytest.mark.postgres
def test_a_stage_used_again_brings_its_new_rows_only(fresh_postgres: Store) -> None:
    with fresh_postgres.write() as connection:
        upsert(connection, t.Word, COLUMNS, [("p", "one", 1)])
        connection.execute(sa.delete(t.Word))
        upsert(connection, t.Word, COLUMNS, [("p", "two", 2)])
    assert words(fresh_postgres) == [("two", 2)]
    with fresh_postgres.write() as connection:
        connection.execute(sa.delete(t.Word))
        upsert(connection, t.Word, COLUMNS, [("p", "three", 3)])
    assert words(fresh_postgres) == [("three", 3)]


@pytest.mark.postgres
def test_a_stage_that_was_rolled_back_is_made_again(fresh_postgres: Store) -> None:
    with pytest.raises(KeyError):
        write_and_fail(fresh_postgres)
    with fresh_postgres.write() as connection:
        upsert(connection, t.Word, COLUMNS, [("p", "two", 2)])
    assert words(fresh_postgres) == [("two", 2)]
