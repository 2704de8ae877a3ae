"""The rows of a sheet, cell by cell, as XML brings them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from w365.sheets import formats, limits
from w365.sheets.limits import refuse, refuse_damaged
from w365.sheets.lines import Line
from w365.sheets.markup import Attributes, read_markup
from w365.sheets.texts import plain_text

_EXACT = 10**15
"""Excel keeps 15 digits of a number."""

_LONGEST_COLUMN = 3
_ROW, _CELL, _VALUE = 3, 4, 5
"""How deep they are: `worksheet/sheetData/row/c/v`."""


class ManyTexts(Protocol):
    """The texts that cells name by their numbers."""

    def __len__(self) -> int: ...
    def __getitem__(self, number: int) -> str: ...


class RowReader:
    """Makes lines of the rows of one sheet; `formats` and `since` see `formats.read_formats` and `read_date`."""

    def __init__(self, name: str, texts: ManyTexts, formats_of_cells: Sequence[int], since: dt.datetime) -> None:
        self._name, self._texts, self._formats, self._since = name, texts, formats_of_cells, since
        self._depth = self._strays = self._rows = self._cells = self._number = self._place = self._length = 0
        self._row_tag = self._cell_tag = self._value_tag = self._text_tag = ""
        self._kind, self._format = "n", 0
        self._is_read = self._is_spoken = self._is_over = False
        self._parts: list[str] = []
        self._texts_of_row: list[str] = []
        self._lines: list[Line] = []
        self._places: dict[str, int] = {}

    def read(self, blocks: Iterable[bytes]) -> Iterator[Line]:
        """Yield each row that has a text; InputError for what is damaged or beyond the limits."""
        for _ in read_markup(self._name, blocks, self._start, self._end, self._text):
            yield from self._lines
            self._lines.clear()
            if self._is_over:
                return

    # --- what XML brings ---

    def _start(self, tag: str, attributes: Attributes) -> None:
        self._depth += 1
        if self._depth == _CELL and tag == self._cell_tag:
            self._start_cell(attributes)
        elif self._depth == _VALUE and tag == self._value_tag:
            self._is_read = True
        elif self._depth > _VALUE and tag == self._text_tag:
            self._is_read = not self._is_spoken
        elif self._depth == _ROW and tag == self._row_tag:
            self._start_row(attributes)
        else:
            self._start_other(tag)

    def _start_other(self, tag: str) -> None:
        if self._depth == 1:
            prefix = tag[: tag.find(":") + 1]
            self._row_tag, self._cell_tag, self._value_tag, self._text_tag = (f"{prefix}{word}" for word in _TAGS)
        self._is_spoken |= tag.endswith("rPh")
        self._strays += 1
        if self._strays > limits.MOST_STRAYS + self._cells or self._depth > limits.DEEPEST:
            refuse_damaged(self._name, "its sheet holds something else than cells")

    def _end(self, tag: str) -> None:
        if self._depth == _CELL and tag == self._cell_tag:
            self._end_cell()
        elif self._depth == _ROW and tag == self._row_tag:
            self._end_row()
        elif self._depth == _ROW - 1 and tag.endswith("sheetData"):
            self._is_over = True
        elif tag.endswith("rPh"):
            self._is_spoken = False
        self._is_read = False
        self._depth -= 1

    def _text(self, part: str) -> None:
        if self._is_read:
            self._parts.append(part)
            self._length += len(part)
            if self._length > limits.LONGEST_CELL:
                refuse(self._name, f"has a cell of more than {limits.LONGEST_CELL:,} characters")

    # --- what it means ---

    def _start_row(self, attributes: Attributes) -> None:
        self._rows += 1
        self._number = int(attributes.get("r") or self._number + 1)
        self._place = 0
        if max(self._rows, self._number) > limits.MOST_ROWS:
            refuse(self._name, f"has a row {self._number:,}; a sheet has {limits.MOST_ROWS:,} at most")

    def _start_cell(self, attributes: Attributes) -> None:
        self._cells += 1
        if self._cells > limits.MOST_CELLS:
            refuse(self._name, f"has more than {limits.MOST_CELLS:,} cells")
        if reference := attributes.get("r"):
            letters = reference.rstrip("0123456789")
            self._place = self._places.get(letters) or self._find_place(letters)
        else:
            self._place += 1
        self._kind = attributes.get("t", "n")
        self._format = int(attributes.get("s", 0))

    def _find_place(self, letters: str) -> int:
        """The place of a column, from 1."""
        if len(letters) > _LONGEST_COLUMN or not (letters.isascii() and letters.isalpha()):
            refuse_damaged(self._name, f"it has a cell in a column “{letters[:9]}”")
        place = 0
        for mark in letters.upper():
            place = place * 26 + ord(mark) - ord("A") + 1
        self._places[letters] = place
        return place

    def _end_cell(self) -> None:
        if not self._parts:
            return
        text = self._read_value("".join(self._parts))
        self._parts.clear()
        self._length = 0
        if not text:
            return
        if self._place > limits.MOST_COLUMNS:
            refuse(self._name, f"has more than {limits.MOST_COLUMNS:,} columns")
        cells = self._texts_of_row
        if len(cells) >= self._place:
            cells[self._place - 1] = text
        else:
            cells.extend([""] * (self._place - 1 - len(cells)))
            cells.append(text)

    def _end_row(self) -> None:
        if self._texts_of_row:
            self._lines.append(Line(self._number, tuple(self._texts_of_row)))
            self._texts_of_row.clear()

    def _read_value(self, text: str) -> str:
        match self._kind:
            case "s":
                return self._shared_text(int(text))
            case "str" | "inlineStr":
                return plain_text(text)
            case "b":
                return say_value(text.strip() in ("1", "true"))
            case "e":
                return text
            case "d":
                return say_value(dt.datetime.fromisoformat(text))
        number = float(text) if any(mark in text for mark in ".eE") else int(text)
        kind = self._formats[self._format] if self._format < len(self._formats) else formats.NUMBER
        return say_value(number if kind == formats.NUMBER else formats.read_date(number, kind, self._since))

    def _shared_text(self, number: int) -> str:
        if not 0 <= number < len(self._texts):
            refuse_damaged(self._name, f"row {self._number:,} names a text that is not there")
        return self._texts[number]


_TAGS = ("row", "c", "v", "t")


def say_value(value: object) -> str:
    """Write a value as it was meant: the number 1042 of an id is “1042”, never “1042.0”.

    A number too long for Excel is written with its exponent, so that nobody takes the digits it lost for an id.
    """
    match value:
        case None:
            return ""
        case bool():
            return str(value).upper()
        case int() | float():
            return _number(value)
        case dt.datetime():
            return value.date().isoformat() if value.time() == dt.time() else value.isoformat(sep=" ")
        case dt.date() | dt.time():
            return value.isoformat()
        case _:
            return str(value)


def _number(value: float) -> str:
    if abs(value) >= _EXACT:
        return f"{value:.5E}"
    return str(int(value)) if value == int(value) else repr(value)
