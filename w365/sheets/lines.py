"""What a table gives, whatever its file is: headings, and lines of text with their numbers."""

from __future__ import annotations

import enum
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from w365.sheets.limits import MOST_CHARACTERS, refuse

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet takes for the beginning of a formula; our downloads put an apostrophe before it."""

_BEGINS, _OF_FORMULA = r"(^|[;\t\r\n])", f"(?='*[{re.escape(''.join(FORMULA))}])"
"""Where a cell begins for a spreadsheet: also behind what separates cells or lines where commas do not."""

_UNSAFE, _SAFE = re.compile(_BEGINS + _OF_FORMULA), re.compile(f"{_BEGINS}'{_OF_FORMULA}")

Content = Path | bytes


class Doubt(enum.Enum):
    """Why the text of a cell is not to be taken for what a person typed, and what to do; `ABSENT`: there is no cell."""

    ABSENT = ""
    UNCOMPUTED = "is a formula whose result is not stored; open the file in its program, save it and choose it again"
    ERROR = "is an error value of a spreadsheet; correct it there, or empty the cell"
    UNKNOWN = "is of a kind that is not read; enter it as text"
    MERGED = "is covered by a merged cell; undo the merging and fill in every cell"
    UNREADABLE = "holds what is no text in the encoding of the file; choose the encoding, or enter it again"
    CONCEALED = "is hidden by its number format; format it so that it is shown"
    DATE = "is a date or time, which a spreadsheet may have made of it; format the column as text and enter it again"
    EXPONENT = "is a number that Excel shortened; format the column as text and enter it again"
    FRACTION = "is a fraction, which a spreadsheet may have made of it; format the column as text and enter it again"
    DRESSED = "is shown otherwise than it is kept; format the column as text and enter it as it is meant"

    @property
    def is_of_number(self) -> bool:
        """Whether the text still says how much it is."""
        return self in (Doubt.EXPONENT, Doubt.FRACTION, Doubt.DRESSED, Doubt.DATE)


NO_DOUBTS: Mapping[int, Doubt] = {}


@dataclass(frozen=True, slots=True)
class Line:
    """One line with the number by which people find it: of the text line where it begins, or of the Excel row.

    `cells` are as they are shown; `doubts` say by their places which of them are not to be taken so.
    """

    number: int
    cells: tuple[str, ...]
    doubts: Mapping[int, Doubt] = field(default_factory=lambda: NO_DOUBTS)
    is_hidden: bool = False

    @property
    def is_empty(self) -> bool:
        return not self.doubts and not any(self.cells)

    def cell(self, place: int | None) -> str:
        return self.cells[place].strip() if place is not None and place < len(self.cells) else ""

    def has(self, place: int) -> bool:
        """Whether the line says anything of a column, be it that there is nothing."""
        return place < len(self.cells) and self.doubts.get(place) is not Doubt.ABSENT


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is read, of which a person may say everything; what is empty is found out.

    `sheet`: its name; `heading_line`: number of the line whose cells name the columns; `encoding`: a name of
    `encodings.ENCODINGS`; `separator`: one character; `leaves_hidden`: lines that are hidden are not read.
    """

    sheet: str = ""
    heading_line: int = 0
    encoding: str = ""
    separator: str = ""
    leaves_hidden: bool = False


@dataclass(frozen=True, slots=True)
class SheetName:
    name: str
    is_hidden: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """What is known of a table without its lines.

    `reading` says how it is read, `sheets` what else could be, `notes` what a person might not see of it, `samples` by
    encoding how the words look that depend on it.
    """

    name: str
    about: str
    headings: tuple[str, ...]
    reading: Reading = field(default_factory=Reading)
    sheets: tuple[SheetName, ...] = ()
    notes: tuple[str, ...] = ()
    samples: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table that was opened. `lines` reads it from its beginning, every time; no more than a line is in memory.

    `fills`: a line that ends early has nothing in the columns behind, as in a workbook; in other files it does not say.
    `unquotes`: it is of a kind that spreadsheets open, in which our downloads put apostrophes.
    """

    table: Table
    _read: Callable[[], Iterator[Line]] = field(repr=False)
    fills: bool = False
    unquotes: bool = True

    @property
    def name(self) -> str:
        return self.table.name

    @property
    def headings(self) -> tuple[str, ...]:
        return self.table.headings

    def lines(self) -> Iterator[Line]:
        """Yield the lines below the headings; those without any text are left out."""
        width, length = len(self.headings) if self.fills else 0, 0
        for line in self._read():
            length += sum(map(len, line.cells))
            if length > MOST_CHARACTERS:  # one text of a file can stand in many cells
                refuse(self.name, f"has more than {MOST_CHARACTERS:,} characters in its cells")
            if line.number <= self.table.reading.heading_line or line.is_empty:
                continue
            if not (line.is_hidden and self.table.reading.leaves_hidden):
                cells = tuple(map(take_apostrophes, line.cells)) if self.unquotes else line.cells
                cells += ("",) * (width - len(cells))
                yield Line(line.number, cells, line.doubts, line.is_hidden)


def open_bytes(content: Content) -> BinaryIO:
    return content.open("rb") if isinstance(content, Path) else io.BytesIO(content)


def put_apostrophes(text: str) -> str:
    """Put an apostrophe before whatever a spreadsheet would run as a formula."""
    return _UNSAFE.sub(r"\1'", text)


def take_apostrophes(text: str) -> str:
    """Take back what `put_apostrophes` put."""
    return _SAFE.sub(r"\1", text) if "'" in text else text
