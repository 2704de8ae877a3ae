"""Rows written in bulk on PostgreSQL pass through a stage that stays with its connection and never keeps a row."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from w365.store import tables as t
from w365.store.db.bulk_insert import upsert
from w365.store.db.engine import Store

COLUMNS = ("subject", "word", "id")
MANY = 30  # a few rows take another way


def rows(word: str) -> list[tuple[str, str, int]]:
    return [("p", word, each) for each in range(MANY)]


def held(word: str) -> list[tuple[str, int]]:
    return [(word, each) for each in range(MANY)]


def words(store: Store) -> list[tuple[str, int]]:
    with store.read() as connection:
        found = connection.execute(sa.select(t.Word.word, t.Word.id).order_by(t.Word.word, t.Word.id))
        return [(row.word, row.id) for row in found]


def write_and_fail(store: Store) -> None:
    with store.write() as connection:
        upsert(connection, t.Word, COLUMNS, rows("one"))
        raise KeyError


@pytest.mark.postgres
def test_a_stage_used_again_brings_its_new_rows_only(fresh_postgres: Store) -> None:
    with fresh_postgres.write() as connection:
        upsert(connection, t.Word, COLUMNS, rows("one"))
        connection.execute(sa.delete(t.Word))
        upsert(connection, t.Word, COLUMNS, rows("two"))
    assert words(fresh_postgres) == held("two")
    with fresh_postgres.write() as connection:
        connection.execute(sa.delete(t.Word))
        upsert(connection, t.Word, COLUMNS, rows("three"))
    assert words(fresh_postgres) == held("three")


@pytest.mark.postgres
def test_a_stage_that_was_rolled_back_is_made_again(fresh_postgres: Store) -> None:
    with pytest.raises(KeyError):
        write_and_fail(fresh_postgres)
    with fresh_postgres.write() as connection:
        upsert(connection, t.Word, COLUMNS, rows("two"))
    assert words(fresh_postgres) == held("two")


@pytest.mark.postgres
@pytest.mark.parametrize("others", [0, MANY])
def test_few_rows_come_to_what_many_come_to(fresh_postgres: Store, others: int) -> None:
    first = put_links(fresh_postgres, "one", others)
    second = put_links(fresh_postgres, "two", others)
    assert [link for link, _ in second.values()] == ["same", "two"]
    assert second["accounts"] == first["accounts"]  # and not written again


def put_links(store: Store, link: str, others: int) -> dict[str, tuple[str, str]]:
    """Give the change links of accounts and contacts, and where their rows lie."""
    more = [(f"more {each}", "") for each in range(others)]
    with store.write() as connection:
        upsert(connection, t.CrmDelta, ("table_name", "link"), [("accounts", "same"), ("contacts", link), *more])
        kept = sa.select(t.CrmDelta.table_name, t.CrmDelta.link, sa.literal_column("ctid::text"))
        found = connection.execute(kept.where(t.CrmDelta.link != "").order_by(t.CrmDelta.table_name))
        return {name: (link, place) for name, link, place in found}
