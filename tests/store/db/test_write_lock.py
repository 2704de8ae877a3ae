"""Who saves gets in between two pages of a sync of another process; a sync that nobody waits for goes on at once."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from processes import CONTEXT

from w365.store import tables as t
from w365.store.db.engine import Store, _is_busy, open_store
from w365.store.db.write_lock import Turns


def write_pages(url: str, seconds: float) -> None:
    """Write page after page, each holding the lock for a moment, as a sync that never waits for its source."""
    store = open_store(url)
    while True:
        with store.write() as connection:
            connection.execute(sa.update(t.Run).values(done=t.Run.done + 1))
            time.sleep(seconds)


@contextmanager
def pages_of_another_process(store: Store, seconds: float) -> Iterator[None]:
    process = CONTEXT.Process(target=write_pages, args=(str(store.engine.url), seconds))
    process.start()
    try:
        while done(store) < 3:
            time.sleep(0.02)
        yield
    finally:
        process.kill()
        process.join()
        process.close()


def done(store: Store) -> int:
    with store.read() as connection:
        return connection.scalar(sa.select(t.Run.done)) or 0


def pages_while_saving(store: Store) -> int:
    """Save something as an analyst does; return how many pages were written while it waited."""
    time.sleep(0.05)  # or the writer of pages would still be the one who waits
    before = done(store)
    with store.write() as connection:
        connection.execute(sa.update(t.Run).values(message="saved"))
        return (connection.scalar(sa.select(t.Run.done)) or 0) - before


@pytest.fixture
def syncing(store: Store) -> Store:
    with store.write() as connection:
        values = {"kind": "sync", "target": "x", "state": "running", "actor": "a", "done": 0, "message": ""}
        connection.execute(sa.insert(t.Run).values(**values, requested_at=sa.func.now(), result={}, error=""))
    return store


@pytest.mark.parametrize("seconds", [0.02, 0.08])
def test_a_save_waits_for_the_page_in_hand_and_hardly_for_another(syncing: Store, seconds: float) -> None:
    with pages_of_another_process(syncing, seconds):
        waited = [pages_while_saving(syncing) for _ in range(8)]
    assert max(waited) <= 5, waited


def test_two_who_save_while_pages_are_written_both_get_in(syncing: Store) -> None:
    waited: list[int] = []

    def save() -> None:
        waited.extend(pages_while_saving(syncing) for _ in range(4))

    with pages_of_another_process(syncing, 0.02):
        savers = [threading.Thread(target=save) for _ in range(2)]
        for one in savers:
            one.start()
        for one in savers:
            one.join()
    assert len(waited) == 8
    assert max(waited) <= 10, waited


def test_nobody_steps_back_where_nobody_waits(tmp_path: Path) -> None:
    turns = Turns(str(tmp_path / "any.db"))
    begin = time.monotonic()
    for _ in range(100):
        turns.give(taken=60.0)
    assert time.monotonic() - begin < 0.5


def test_who_waits_is_seen_until_it_got_in_and_not_longer(tmp_path: Path) -> None:
    path = str(tmp_path / "any.db")
    with Turns(path).waiting():
        begin = time.monotonic()
        Turns(path).give(taken=0.0)
        assert time.monotonic() - begin >= 0.01
    begin = time.monotonic()
    for _ in range(10):
        Turns(path).give(taken=0.0)
    assert time.monotonic() - begin < 0.1


def test_a_folder_that_cannot_be_locked_is_no_fault(tmp_path: Path) -> None:
    nowhere = Turns(str(tmp_path / "missing" / "any.db"))
    with nowhere.waiting():
        nowhere.give(taken=0.0)
        nowhere.give(taken=60.0)


def test_a_database_in_memory_has_nobody_to_wait_for() -> None:
    store = open_store("sqlite://")
    with store.write() as connection:
        assert connection.scalar(sa.text("select 1")) == 1
    store.close()


@pytest.mark.parametrize(
    ("code", "is_busy"),
    [(sqlite3.SQLITE_BUSY, True), (sqlite3.SQLITE_BUSY_RECOVERY, True), (sqlite3.SQLITE_FULL, False)],
)
def test_a_file_whose_log_another_process_recovers_is_waited_for(code: int, *, is_busy: bool) -> None:
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = code
    assert _is_busy(sa.exc.OperationalError("BEGIN IMMEDIATE", None, error)) is is_busy
