"""SQLite's log: when what was saved gets from it into the file."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from fresh_stores import path_of

from w365.store import tables as t
from w365.store.db.engine import Store

PAGES = 2_000


@pytest.fixture
def filled(store: Store) -> Store:
    """More than SQLite by itself would leave in the log."""
    with store.write() as connection:
        connection.execute(sa.insert(t.Setting), [{"name": f"text {at}", "value": "x" * 4_000} for at in range(PAGES)])
    return store


def rows_in_the_file_alone(store: Store, folder: Path) -> int:
    shutil.copyfile(path_of(store), folder / "alone.db")
    with sqlite3.connect(folder / "alone.db") as connection:
        (count,) = connection.execute("SELECT count(*) FROM setting WHERE name LIKE 'text %'").fetchone()
    connection.close()
    return int(count)


def test_a_commit_leaves_in_the_log_what_is_moved_when_nobody_waits(filled: Store, tmp_path: Path) -> None:
    assert rows_in_the_file_alone(filled, tmp_path) == 0
    filled.tidy()
    assert rows_in_the_file_alone(filled, tmp_path) == PAGES


def test_what_somebody_still_reads_is_moved_later_and_nobody_waits_for_it(filled: Store, tmp_path: Path) -> None:
    with filled.read() as reader:
        assert reader.scalar(sa.select(sa.func.count()).select_from(t.Setting)) == PAGES
        with filled.write() as connection:
            connection.execute(sa.delete(t.Setting).where(t.Setting.name.like("text %")))
        filled.tidy()
        assert reader.scalar(sa.select(sa.func.count()).select_from(t.Setting)) == PAGES
    filled.tidy()
    assert rows_in_the_file_alone(filled, tmp_path) == 0
