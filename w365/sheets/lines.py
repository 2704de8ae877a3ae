"""What a table gives, whatever its file is: headings, and lines of text with their numbers."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet takes for the beginning of a formula; our downloads put an apostrophe before it."""

Content = Path | bytes


@dataclass(frozen=True, slots=True)
class Line:
    """One line with the number by which people find it: of the text line where it begins, or of the Excel row."""

    number: int
    cells: tuple[str, ...]

    def cell(self, place: int | None) -> str:
        return self.cells[place].strip() if place is not None and place < len(self.cells) else ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table that was opened. `lines` reads it from its beginning, every time; no more than a line is in memory."""

    name: str
    about: str
    headings: tuple[str, ...]
    _read: Callable[[], Iterator[Line]] = field(repr=False)

    def lines(self) -> Iterator[Line]:
        """Yield the lines below the headings; those without any text are left out."""
        rows = (line for line in self._read() if any(line.cells))
        next(rows, None)
        for line in rows:
            yield Line(line.number, tuple(take_apostrophe(cell) for cell in line.cells))


def open_bytes(content: Content) -> BinaryIO:
    return content.open("rb") if isinstance(content, Path) else io.BytesIO(content)


def take_apostrophe(text: str) -> str:
    """Take back the apostrophe that a download puts before what looks like a formula."""
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(FORMULA) else text
