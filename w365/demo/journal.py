"""What clients changed: one line a change, appended for good, applied again at the next start."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from w365.own_files import opener

Row = dict[str, str | int | None]
"""One row by column name."""


@dataclass(frozen=True, slots=True)
class RowChange:
    """A row as it is after the change, or None when it was deleted."""

    table: str
    id: str
    row: Row | None


class Journal:
    """A change's number is its line, so that several processes on one file agree without a lock."""

    def __init__(self, path: Path, world: str) -> None:
        self._path = path
        self._world = world
        self._offset = 0
        self._lines = 0
        self._end_torn_line()

    def append(self, *changes: RowChange) -> None:
        """Write the changes durably. They take effect when they are read back."""
        lines = "".join(
            json.dumps(
                {"world": self._world, "table": change.table, "id": change.id, "row": change.row}, ensure_ascii=False
            )
            + "\n"
            for change in changes
        )
        with open(self._path, "ab", buffering=0, opener=opener) as file:
            file.write(lines.encode())
            os.fsync(file.fileno())

    def read_new(self) -> list[tuple[int, RowChange]]:
        """Give the changes nobody read before, our own and other processes', each with its number from 1."""
        try:
            if self._path.stat().st_size <= self._offset:
                return []
            with self._path.open("rb") as file:
                file.seek(self._offset)
                content = file.read()
        except FileNotFoundError:
            return []
        complete = content[: content.rfind(b"\n") + 1]
        self._offset += len(complete)
        changes = []
        for line in complete.splitlines():
            self._lines += 1
            change = self._parse_line(line)
            if change is not None:
                changes.append((self._lines, change))
        return changes

    def _parse_line(self, line: bytes) -> RowChange | None:
        # A line torn by a crash, or one of another world, keeps its number and changes nothing.
        try:
            content = json.loads(line)
            if content["world"] == self._world:
                return RowChange(content["table"], content["id"], content["row"])
        except (ValueError, KeyError, TypeError):
            pass
        return None

    def _end_torn_line(self) -> None:
        try:
            with self._path.open("r+b") as file:
                file.seek(0, os.SEEK_END)
                if file.tell():
                    file.seek(-1, os.SEEK_END)
                    if file.read(1) != b"\n":
                        file.write(b"\n")
        except FileNotFoundError:
            return
