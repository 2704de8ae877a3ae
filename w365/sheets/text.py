"""CSV as people have it: any of the usual encodings and separators, quoted line breaks."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from w365.sheets.limits import LONGEST_CELL, LONGEST_LINE, MOST_CELLS, MOST_COLUMNS, MOST_LINES, MOST_ROWS, refuse
from w365.sheets.lines import Content, Line, open_bytes

_BLOCK = 1 << 20
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_CORRECT = "Correct that line; a quotation mark inside a quoted cell is written twice."
_ENCODINGS = {"utf-8-sig": "UTF-8", "utf-16": "UTF-16", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16"}
_DO = "Save the table as .xlsx or as “CSV UTF-8” and choose that file."


@dataclass(frozen=True, slots=True)
class Form:
    """How a text file is written. `directive`: its first line is Excel's own “sep=;”, which is no heading."""

    encoding: str
    separator: str
    directive: bool = False

    def say(self) -> str:
        return f"CSV, {_ENCODINGS.get(self.encoding, 'Windows-1252')}, separated by {_SEPARATORS[self.separator]}"


def find_form(name: str, content: Content) -> Form:
    """Find out encoding and separator; InputError where the file is no text."""
    encoding = _find_encoding(name, content)
    with open_bytes(content) as file, io.TextIOWrapper(file, encoding, newline="") as text:
        start = text.read(_BLOCK)
    first = start.lstrip("\r\n").partition("\n")[0].strip("\r")
    if first.lower() in [f"sep={one}" for one in _SEPARATORS]:
        return Form(encoding, first[4], directive=True)
    amounts = {one: _outside_quotes(start, one) for one in _SEPARATORS}
    return Form(encoding, max(amounts, key=lambda one: amounts[one]))


def read_rows(name: str, content: Content, form: Form) -> Iterator[Line]:
    """Yield every line as it stands, headings included."""
    with open_bytes(content) as file, io.TextIOWrapper(file, form.encoding, newline="") as text:
        feed = _Feed(name, text)
        reader = csv.reader(feed, delimiter=form.separator, strict=True)
        if form.directive:
            next(reader)
        yield from _told(name, reader, feed)


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


def _told(name: str, reader: Any, feed: _Feed) -> Iterator[Line]:
    """The reader's rows; what it cannot read is told with the line where the trouble began."""
    cells = 0
    for rows in itertools.count(1):
        before = reader.line_num
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
        yield Line(before + 1, tuple(row))


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


def _find_encoding(name: str, content: Content) -> str:
    with open_bytes(content) as file:
        head = file.read(4096)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _checked(name, content, "utf-16")
    if b"\0" in head:
        even, odd = head[::2].count(0), head[1::2].count(0)
        return _checked(name, content, "utf-16-le" if odd >= even else "utf-16-be")
    return next((one for one in ("utf-8-sig", "cp1252") if _is_text(name, content, one)), "") or _refuse(name)


def _checked(name: str, content: Content, encoding: str) -> str:
    return encoding if _is_text(name, content, encoding) else _refuse(name)


def _refuse(name: str) -> NoReturn:
    refuse(name, "is not a text file: it is neither UTF-8, UTF-16 nor Windows-1252", _DO)


def _is_text(name: str, content: Content, encoding: str) -> bool:
    """Decode the whole of it once, and refuse more lines than a table has before anything is made of them."""
    decoder = codecs.getincrementaldecoder(encoding)()
    lines, most = 0, MOST_ROWS
    with open_bytes(content) as file:
        try:
            while block := file.read(_BLOCK):
                text = decoder.decode(block)
                if "\0" in text:
                    return False
                most = MOST_LINES if '"' in text else most  # a quoted cell may hold several lines
                lines += max(text.count("\n"), text.count("\r"))
                if lines > most:
                    refuse(name, f"has more than {MOST_ROWS:,} lines")
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _outside_quotes(text: str, separator: str) -> int:
    """How often a separator stands in the first line, quoted cells left out."""
    is_quoted, found = False, 0
    for mark in text.lstrip("\r\n"):
        if mark == '"':
            is_quoted = not is_quoted
        elif not is_quoted and mark in "\r\n":
            break
        elif not is_quoted and mark == separator:
            found += 1
    return found


csv.field_size_limit(LONGEST_CELL)
