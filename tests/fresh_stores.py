"""Databases for tests, as cheap as they can be."""

from __future__ import annotations

import copy
import functools
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from w365.store.db.engine import Store, open_store
from w365.store.db.migrate import migrate


@functools.cache
def migrated() -> bytes:
    """Give the content of an empty SQLite database: migrating takes longer than most tests."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "w365.db"
        store = open_store(f"sqlite:///{path}")
        migrate(store)
        store.close()
        return path.read_bytes()


def put_migrated(home: Path) -> None:
    """Put an empty database where a service looks for its own."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "w365.db").write_bytes(migrated())


class FreshStores:
    """Gives SQLite databases that are empty but migrated.

    They are used again with their compiled statements, which cost more than the tests themselves, and do not wait for
    the disk: they need not survive a power cut.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.free: list[Store] = []
        self.taken: list[Store] = []

    def __call__(self) -> Store:
        store = self.free.pop() if self.free else self._open()
        self.taken.append(store)
        fill(store, migrated())
        return store

    def take_back(self) -> None:
        for store in self.taken:
            store.close()
        self.free, self.taken = self.free + self.taken, []

    def _open(self) -> Store:
        store = open_store(f"sqlite:///{self.folder / secrets.token_hex(4)}.db")
        sa.event.listen(store.engine, "connect", lambda raw, _record: raw.execute("PRAGMA synchronous = OFF"))
        store.engine.update_execution_options(compiled_cache={})  # the engine's own forgets what is not used for long
        return store


def fill(store: Store, content: bytes) -> None:
    """Give a SQLite database another content."""
    store.close()
    path = path_of(store)
    for old in path.parent.glob(f"{path.name}*"):  # with its log
        old.unlink()
    path.write_bytes(content)


def empty_out(store: Store) -> None:
    """Leave a PostgreSQL database without any table."""
    with store.write() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    store.schema = None


_MADE: dict[str, tuple[bytes, list[dict[str, Any]]]] = {}


def make_once(store: Store, name: str, make: Callable[[], object], *fakes: object) -> None:
    """Bring a database to the state that `make` brings it to, which on SQLite is done once and copied from then on.

    `name` stands for all that `make` depends on; `fakes` are what it changes besides the database.
    """
    if not store.is_sqlite:
        make()
    elif name in _MADE:
        content, states = _MADE[name]
        fill(store, content)
        for fake, state in zip(fakes, states, strict=True):
            fake.__dict__.update(copy.deepcopy(state))
    else:
        make()
        store.close()
        _MADE[name] = path_of(store).read_bytes(), [copy.deepcopy(fake.__dict__) for fake in fakes]


def is_untouched(store: Store) -> bool:
    """Whether nothing was written to a SQLite database since it was migrated."""
    path = path_of(store)
    return not path.with_name(f"{path.name}-wal").exists() and path.read_bytes() == migrated()


def path_of(store: Store) -> Path:
    return Path(store.engine.url.database or "")
