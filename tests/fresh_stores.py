"""Databases for tests, as cheap as they can be."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

import sqlalchemy as sa

from w365.store.engine import Store, open_store


class FreshStores:
    """Gives SQLite databases that hold a copy of a file.

    They are used again with their compiled statements, which cost more than the tests themselves, and do not wait for
    the disk: they need not survive a power cut.
    """

    def __init__(self, template: Path, folder: Path) -> None:
        self.template, self.folder = template, folder
        self.free: list[Store] = []
        self.taken: list[Store] = []

    def __call__(self, source: Path | None = None) -> Store:
        """Give a database with the content of `source`, or an empty one."""
        store = self.free.pop() if self.free else self._open()
        self.taken.append(store)
        self.fill(store, source)
        return store

    def fill(self, store: Store, source: Path | None = None) -> None:
        """Forget what a database holds."""
        store.close()
        path = Path(store.engine.url.database or "")
        for old in path.parent.glob(f"{path.stem}.*"):  # with its log and its queue
            old.unlink()
        shutil.copyfile(source or self.template, path)

    def take_back(self) -> None:
        for store in self.taken:
            store.close()
        self.free, self.taken = self.free + self.taken, []

    def _open(self) -> Store:
        store = open_store(f"sqlite:///{self.folder / secrets.token_hex(4)}.db")
        sa.event.listen(store.engine, "connect", lambda raw, _record: raw.execute("PRAGMA synchronous = OFF"))
        return store
