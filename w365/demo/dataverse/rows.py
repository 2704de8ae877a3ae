"""The rows of the CRM as they are now: the world with the journal applied, and what changed since any version."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterator
from contextlib import contextmanager

from w365.demo.dataverse.tables import CrmTable, world_rows
from w365.demo.journal import Journal, Row, RowChange
from w365.demo.world import World

FIRST_CHANGE = 1_000_000
"""Version numbers of changes lie above those of the world's own rows."""


class TableRows:
    """One table's rows, in the order of their ids."""

    def __init__(self, rows: dict[str, Row]) -> None:
        self.by_id = rows
        self._order = sorted(rows)
        self._touched: dict[str, int] = {}

    def apply(self, change: RowChange, version: int) -> None:
        is_known = change.id in self.by_id
        if change.row is not None:
            self.by_id[change.id] = {**change.row, "versionnumber": version}
            if not is_known:
                insort(self._order, change.id)
        elif is_known:
            del self.by_id[change.id]
            self._order.remove(change.id)
        # Taken out first, so that the changes stay in the order of their versions.
        self._touched.pop(change.id, None)
        self._touched[change.id] = version

    def after(self, last_id: str) -> Iterator[Row]:
        """Rows behind this id, in the order of ids."""
        for position in range(bisect_right(self._order, last_id), len(self._order)):
            yield self.by_id[self._order[position]]

    def changed_since(self, version: int) -> list[tuple[int, str, Row | None]]:
        """Version, id and row (None: deleted) of every change after the version, oldest first."""
        return [
            (changed, row_id, self.by_id.get(row_id)) for row_id, changed in self._touched.items() if changed > version
        ]

    def copy(self) -> TableRows:
        """The same rows, to be changed apart."""
        copied = TableRows(dict(self.by_id))
        copied._touched = dict(self._touched)
        return copied


class CrmRows:
    """All tables, one version counter, one journal."""

    def __init__(self, world: World, journal: Journal) -> None:
        self._journal = journal
        self._tables = {name: TableRows(rows) for name, rows in world_rows(world).items()}
        self._held_back: list[RowChange] | None = None
        self.version = FIRST_CHANGE
        self.refresh()

    def table(self, table: CrmTable) -> TableRows:
        return self._tables[table.entity_set]

    def refresh(self) -> None:
        """Take in what the journal holds by now."""
        for number, change in self._journal.read_new():
            self.version = FIRST_CHANGE + number
            if change.table in self._tables:
                self._tables[change.table].apply(change, self.version)

    def write(self, *changes: RowChange) -> None:
        """Make the changes, durably, before anybody can see them."""
        if self._held_back is None:
            self._journal.append(*changes)
            self.refresh()
            return
        self._held_back += changes
        for change in changes:
            self._tables[change.table].apply(change, self.version + len(self._held_back))

    @contextmanager
    def together(self) -> Iterator[None]:
        """Make all changes of the block at its end, or none where it raises; the block itself sees them."""
        before = self._tables
        self._tables = {name: table.copy() for name, table in before.items()}
        held_back: list[RowChange] = []
        self._held_back = held_back
        try:
            yield
        finally:
            self._tables, self._held_back = before, None
        self.write(*held_back)
