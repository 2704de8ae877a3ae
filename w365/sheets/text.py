"""CSV as people have it: any of the usual encodings and separators, quoted line breaks."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from w365.errors import InputError
from w365.sheets.lines import Content, Line, open_bytes

_BLOCK = 1 << 20
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_ENCODINGS = {"utf-8-sig": "UTF-8", "utf-16": "UTF-16", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16"}
_LONGEST_CELL = 1 << 17


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
        reader = csv.reader(text, delimiter=form.separator, strict=True)
        if form.directive:
            next(reader)
        yield from _told(name, reader)


def _told(name: str, reader: Any) -> Iterator[Line]:
    """The reader's rows; what it cannot read is told with the line where the trouble began."""
    while True:
        before = reader.line_num
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise InputError(
                f"{name} cannot be read from line {before + 1:,} on: a quotation mark there is opened and not closed, "
                "or followed by more text.",
                kept="Nothing was read.",
                do="Correct that line; a quotation mark inside a quoted cell is written twice.",
            ) from None
        yield Line(before + 1, tuple(row))


def _find_encoding(name: str, content: Content) -> str:
    with open_bytes(content) as file:
        head = file.read(4096)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _checked(name, content, "utf-16")
    if b"\0" in head:
        even, odd = head[::2].count(0), head[1::2].count(0)
        return _checked(name, content, "utf-16-le" if odd >= even else "utf-16-be")
    return next((one for one in ("utf-8-sig", "cp1252") if _is_text(content, one)), "") or _refuse(name)


def _checked(name: str, content: Content, encoding: str) -> str:
    return encoding if _is_text(content, encoding) else _refuse(name)


def _refuse(name: str) -> str:
    raise InputError(
        f"{name} is not a text file: it is neither UTF-8, UTF-16 nor Windows-1252.",
        kept="Nothing was read.",
        do="Save the table as .xlsx or as “CSV UTF-8” and choose that file.",
    )


def _is_text(content: Content, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with open_bytes(content) as file:
        try:
            while block := file.read(_BLOCK):
                if "\0" in decoder.decode(block):
                    return False
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


csv.field_size_limit(_LONGEST_CELL)
