"""What a table gives, whatever its file is: headings, and lines of text with their numbers."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet takes for the beginning of a formula; our downloads put an apostrophe before it."""

_BEGINS, _OF_FORMULA = r"(^|[;\t\r\n])", f"(?='*[{re.escape(''.join(FORMULA))}])"
"""Where a cell begins for a spreadsheet: also behind what separates cells or lines where commas do not."""

_UNSAFE, _SAFE = re.compile(_BEGINS + _OF_FORMULA), re.compile(f"{_BEGINS}'{_OF_FORMULA}")

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
            yield Line(line.number, tuple(take_apostrophes(cell) for cell in line.cells))


def open_bytes(content: Content) -> BinaryIO:
    return content.open("rb") if isinstance(content, Path) else io.BytesIO(content)


def put_apostrophes(text: str) -> str:
    """Put an apostrophe before whatever a spreadsheet would run as a formula."""
    return _UNSAFE.sub(r"\1'", text)


def take_apostrophes(text: str) -> str:
    """Take back what `put_apostrophes` put."""
    return _SAFE.sub(r"\1", text)
