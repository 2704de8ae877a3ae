"""CSV as people have it: any of the usual encodings and separators, quoted line breaks."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NoReturn

from w365.sheets.columns import Field, count_understood
from w365.sheets.encodings import ENCODINGS, find_encoding
from w365.sheets.limits import LONGEST_CELL, LONGEST_LINE, MOST_CELLS, MOST_COLUMNS, MOST_ROWS, refuse
from w365.sheets.lines import NO_DOUBTS, Content, Doubt, Line, Reading, open_bytes

_BLOCK = 1 << 20
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_CORRECT = "Correct that line; a quotation mark inside a quoted cell is written twice."
_DIRECTIVE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
_TYPE = "#TYPE "
"""Begins the line in which PowerShell says what its objects were."""

_LOOKED_AT = 30
_KEPT_AS_TEXT = re.compile(r'="([^"]*)"')
"""How programs write a text that Excel is not to take for a number: ="00042"."""

_BAD = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class Form:
    """How a text file is written. `directives`: so many lines say how and what, as Excel's own “sep=;” does."""

    encoding: str
    separator: str
    directives: int = 0
    samples: Mapping[str, str] = field(default_factory=dict)

    def say(self) -> str:
        encoding = ENCODINGS.get(self.encoding, "UTF-16")
        return f"CSV, {encoding}, separated by {SEPARATORS.get(self.separator, f'“{self.separator}”')}"


def find_form(name: str, content: Content, reading: Reading, likely: Reading, fields: Sequence[Field]) -> Form:
    """Find out encoding and separator; InputError where the file is no text."""
    encoding, samples = find_encoding(name, content, reading.encoding, likely.encoding)
    with _open_text(content, encoding) as text:
        start = text.read(_BLOCK)
    directives, named = _read_directives(start)
    below = start.split("\n", directives)[-1]
    separator = reading.separator or named or _find_separator(below, fields, likely.separator)
    if len(separator) != 1 or separator in '"\r\n':
        refuse(name, f"cannot have “{separator}” between its cells", "A separator is one character.")
    return Form(encoding, separator, directives, samples)


def _open_text(content: Content, encoding: str) -> io.TextIOWrapper:
    errors = "strict" if encoding.startswith("utf-16") else "surrogateescape"
    return io.TextIOWrapper(open_bytes(content), encoding, errors, newline="")


def _read_directives(start: str) -> tuple[int, str]:
    """Give how many lines before the table say how it is written, and the separator if one does."""
    separator, amount = "", 0
    for line in start.split("\n"):
        if directive := _DIRECTIVE.fullmatch(line.strip("\r\ufeff")):
            separator = directive[1]
        elif not line.startswith(_TYPE) and line.strip("\r"):
            break
        amount += 1
    return amount, separator


def _find_separator(start: str, fields: Sequence[Field], likely: str) -> str:
    """Take what makes the lines a table; what is likely where no headings are understood and it makes one too."""
    lines = list(itertools.islice(io.StringIO(start, newline=""), _LOOKED_AT))
    ranks = {separator: _rank(_split(lines, separator), fields) for separator in SEPARATORS}
    best = max(SEPARATORS, key=lambda separator: ranks[separator])
    if likely and not ranks[best][0] and _rank(_split(lines, likely), fields)[1]:
        return likely
    return best


def _rank(rows: Sequence[Sequence[str]], fields: Sequence[Field]) -> tuple[int, int, int]:
    """How much rows look like a table: headings understood, rows of the usual width, width of the first row."""
    filled = [row for row in rows if any(row)]
    widths = [len(row) for row in filled]
    usual = max(set(widths), key=lambda width: (widths.count(width), width), default=1)
    alike = widths.count(usual) if usual > 1 else 0
    return max((count_understood(row, fields) for row in filled), default=0), alike, widths[0] if widths else 0


def _split(lines: Sequence[str], separator: str) -> list[list[str]]:
    rows: list[list[str]] = []
    with suppress(csv.Error):  # what is wrong is told when the table is read
        rows.extend(csv.reader(lines, delimiter=separator))
    return rows


def read_rows(name: str, content: Content, form: Form) -> Iterator[Line]:
    """Yield every line as it stands, headings included."""
    with _open_text(content, form.encoding) as text:
        feed = _Feed(name, text)
        for _ in range(form.directives):
            text.readline(LONGEST_LINE)
        reader = csv.reader(feed, delimiter=form.separator, strict=True)
        yield from _told(name, reader, feed, form.directives)


class _Feed:
    """Hands out lines of text, and no more of them for one row than may be in memory."""

    def __init__(self, name: str, text: io.TextIOWrapper) -> None:
        self._name, self._text, self._left = name, text, LONGEST_LINE

    def begin_row(self) -> None:
        self._left = LONGEST_LINE

    def __iter__(self) -> Iterator[str]:
        while line := self._text.readline(self._left + 1):
            self._left -= len(line)
            if self._left < 0:
                refuse(self._name, f"has a line of more than {LONGEST_LINE:,} characters", _CORRECT)
            yield line


def _told(name: str, reader: Any, feed: _Feed, above: int) -> Iterator[Line]:
    """The reader's rows; what it cannot read is told with the line where the trouble began."""
    cells = 0
    for rows in itertools.count(1):
        before = reader.line_num + above
        feed.begin_row()
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            _refuse_line(name, before + 1, str(error))
        cells += len(row)
        if rows > MOST_ROWS or cells > MOST_CELLS or len(row) > MOST_COLUMNS:
            _refuse_much(name, row, cells)
        yield _make_line(before + 1, row)


def _make_line(number: int, row: Sequence[str]) -> Line:
    whole = "".join(row)
    if '="' in whole:
        row = [kept[1] if (kept := _KEPT_AS_TEXT.fullmatch(cell)) else cell for cell in row]
    if whole.isascii() or not _BAD.search(whole):
        return Line(number, tuple(row), NO_DOUBTS)
    doubts = {place: Doubt.UNREADABLE for place, cell in enumerate(row) if _BAD.search(cell)}
    return Line(number, tuple(_BAD.sub("\ufffd", cell) for cell in row), doubts)


def _refuse_line(name: str, number: int, error: str) -> NoReturn:
    if "field larger" in error:
        refuse(name, f"has a cell of more than {LONGEST_CELL:,} characters from line {number:,} on", _CORRECT)
    refuse(
        name,
        f"cannot be read from line {number:,} on: a quotation mark there is opened and not closed, "
        "or followed by more text",
        _CORRECT,
    )


def _refuse_much(name: str, row: Sequence[str], cells: int) -> NoReturn:
    if len(row) > MOST_COLUMNS:
        refuse(name, f"has more than {MOST_COLUMNS:,} columns")
    refuse(name, f"has more than {MOST_CELLS:,} cells" if cells > MOST_CELLS else f"has more than {MOST_ROWS:,} rows")


csv.field_size_limit(LONGEST_CELL)
