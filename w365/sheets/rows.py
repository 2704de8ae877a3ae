"""The rows of a sheet, cell by cell, as XML brings them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from w365.sheets import limits
from w365.sheets.formats import PLAIN, Format, show_date
from w365.sheets.limits import refuse, refuse_damaged
from w365.sheets.lines import NO_DOUBTS, Doubt, Line
from w365.sheets.markup import Attributes, read_markup
from w365.sheets.texts import plain_text

_LONGEST_COLUMN = 3
_ROW, _CELL, _VALUE = 3, 4, 5
"""How deep they are: `worksheet/sheetData/row/c/v`."""


class ManyTexts(Protocol):
    """The texts that cells name by their numbers."""

    def __len__(self) -> int: ...
    def __getitem__(self, number: int) -> str: ...


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the cells of a workbook mean: its texts and formats, and the day that dates count from.

    `is_uncomputed`: who wrote it left it to the next program to compute the formulas; a zero is then no result.
    """

    texts: ManyTexts
    formats: Sequence[Format]
    since: dt.datetime
    is_uncomputed: bool = False


class RowReader:
    """Makes lines of the rows of one sheet."""

    def __init__(self, name: str, meaning: Meaning) -> None:
        self._name, self._meaning = name, meaning
        self._depth = self._strays = self._rows = self._cells = self._number = self._place = self._length = 0
        self._row_tag = self._cell_tag = self._value_tag = self._text_tag = self._formula_tag = ""
        self._kind, self._format = "n", 0
        self._is_read = self._is_spoken = self._is_over = self._is_hidden = False
        self._has_formula = self._has_value = False
        self._parts: list[str] = []
        self._doubts: dict[int, Doubt] = {}
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
            self._is_read = self._has_value = True
        elif self._depth > _VALUE and tag == self._text_tag:
            self._is_read = not self._is_spoken
        elif self._depth == _ROW and tag == self._row_tag:
            self._start_row(attributes)
        else:
            self._start_other(tag)

    def _start_other(self, tag: str) -> None:
        if self._depth == 1:
            prefix = tag[: tag.find(":") + 1]
            self._row_tag, self._cell_tag, self._value_tag, self._text_tag, self._formula_tag = (
                f"{prefix}{word}" for word in _TAGS
            )
        elif self._depth == _VALUE and tag == self._formula_tag:
            self._has_formula = True
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
        self._is_hidden = attributes.get("hidden") in ("1", "true")
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
        style = attributes.get("s", "0")
        self._format = int(style) if style.isascii() and style.isdigit() else limits.MOST_FORMATS
        self._has_formula = self._has_value = False

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
        raw = "".join(self._parts)
        self._parts.clear()
        self._length = 0
        text, doubt = self._read_cell(raw) if raw or self._has_formula or self._kind == "e" else ("", None)
        if not text and doubt is None:
            return
        if self._place > limits.MOST_COLUMNS:
            refuse(self._name, f"has more than {limits.MOST_COLUMNS:,} columns")
        if doubt is not None:
            self._doubts[self._place - 1] = doubt
        cells = self._texts_of_row
        if len(cells) >= self._place:
            cells[self._place - 1] = text
        else:
            cells.extend([""] * (self._place - 1 - len(cells)))
            cells.append(text)

    def _end_row(self) -> None:
        if self._texts_of_row:
            doubts = dict(self._doubts) if self._doubts else NO_DOUBTS
            self._lines.append(Line(self._number, tuple(self._texts_of_row), doubts, self._is_hidden))
            self._texts_of_row.clear()
            self._doubts.clear()

    def _read_cell(self, raw: str) -> tuple[str, Doubt | None]:
        """Give what a cell shows, and what speaks against taking it for what was typed."""
        if self._is_uncomputed(raw):
            return "", Doubt.UNCOMPUTED
        try:
            return self._read_value(raw)
        except (ValueError, OverflowError):
            return raw, Doubt.UNKNOWN

    def _is_uncomputed(self, raw: str) -> bool:
        """An empty text is a result; nothing at all is none, nor is the zero of who computed nothing."""
        if not self._has_formula:
            return False
        if not raw:
            return self._kind != "str" or not self._has_value
        return self._meaning.is_uncomputed and raw == "0" and self._kind == "n"

    def _read_value(self, text: str) -> tuple[str, Doubt | None]:
        match self._kind:
            case "n":
                return self._show_number(text)
            case "s":
                return self._shared_text(int(text)), None
            case "str" | "inlineStr":
                return plain_text(text), None
            case "b":
                return ("TRUE" if text.strip() in ("1", "true") else "FALSE"), None
            case "d":
                at = dt.datetime.fromisoformat(text)
                return (at.date().isoformat() if at.time() == dt.time() else at.isoformat(sep=" ")), Doubt.DATE
        return text, Doubt.ERROR if self._kind == "e" else Doubt.UNKNOWN

    def _show_number(self, text: str) -> tuple[str, Doubt | None]:
        number = float(text) if any(mark in text for mark in ".eE") else int(text)
        formats = self._meaning.formats
        form = formats[self._format] if self._format < len(formats) else PLAIN
        if form.doubt is Doubt.DATE:
            return show_date(number, self._meaning.since, is_span=form.is_span), Doubt.DATE
        shown, doubt = form.show(number)
        return shown, form.doubt or doubt

    def _shared_text(self, number: int) -> str:
        if not 0 <= number < len(self._meaning.texts):
            refuse_damaged(self._name, f"row {self._number:,} names a text that is not there")
        return self._meaning.texts[number]


_TAGS = ("row", "c", "v", "t", "f")
