"""JSON as exports and scripts write it: a list of objects, or one after another, read object by object."""

from __future__ import annotations

import codecs
import io
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from w365.sheets.limits import LONGEST_CELL, LONGEST_LINE, MOST_CELLS, MOST_COLUMNS, MOST_ROWS, refuse
from w365.sheets.lines import NO_DOUBTS, Content, Doubt, Line, open_bytes

_BLOCK = 1 << 18
_BETWEEN = re.compile(r"[\s,]*")
_DO = "A JSON file is a list of objects: [{“id”: “1”, “name”: “…”}, …]."
_BEGINS = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\[\s*(?:\{|\])|\{\s*\")")
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def is_json(head: bytes) -> bool:
    if head.startswith(_WIDE):
        head = head[: len(head) & ~1].decode("utf-16", "ignore").encode()
    return _BEGINS.match(head) is not None


def read_rows(name: str, content: Content) -> Callable[[], Iterator[Line]]:
    """Give what yields a line of headings, the names of all objects, and then a line an object."""
    headings: dict[str, int] = {}
    for record in _told(name, content):
        for key in record:
            headings.setdefault(key, len(headings))
        if len(headings) > MOST_COLUMNS:
            refuse(name, f"has more than {MOST_COLUMNS:,} columns")

    def read() -> Iterator[Line]:
        yield Line(1, tuple(map(_clean, headings)))
        for number, record in enumerate(_told(name, content), start=2):
            yield _make_line(name, number, record, headings)

    return read


def _make_line(name: str, number: int, record: dict[str, Any], headings: dict[str, int]) -> Line:
    cells = tuple(text_of(record.get(key)) for key in headings)
    if max(map(len, cells), default=0) > LONGEST_CELL:
        refuse(name, f"has a cell of more than {LONGEST_CELL:,} characters")
    if len(record) == len(headings):
        return Line(number, cells)
    absent = {place: Doubt.ABSENT for key, place in headings.items() if key not in record}
    return Line(number, cells, absent or NO_DOUBTS)


def text_of(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).upper()
        case str():
            return _clean(value)
        case list() if all(isinstance(each, str) for each in value):
            return ", ".join(map(_clean, value))
    return _clean(json.dumps(value, ensure_ascii=False))


def _clean(text: str) -> str:
    """Show what is no character, which JSON can name, as what it is: unreadable."""
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _told(name: str, content: Content) -> Iterator[dict[str, Any]]:
    cells = 0
    try:
        for number, record in enumerate(_read(name, content), start=1):
            if not isinstance(record, dict):
                refuse(name, "is JSON, but no list of objects", _DO)
            cells += len(record)
            if number > MOST_ROWS or cells > MOST_CELLS:
                refuse(name, f"has more than {MOST_ROWS:,} rows or {MOST_CELLS:,} cells")
            yield record
    except (ValueError, RecursionError):
        _refuse_broken(name)


def _read(name: str, content: Content) -> Iterator[Any]:
    """Read value by value; of the text no more is in memory than the longest line and a block."""
    with open_bytes(content) as file:
        encoding = "utf-16" if file.read(2) in _WIDE else "utf-8-sig"
    with io.TextIOWrapper(open_bytes(content), encoding) as text:
        buffer, is_over = text.read(_BLOCK), False
        place = _after(buffer, 0)
        end = "]" if buffer[place : place + 1] == "[" else ""
        place += len(end)
        while True:
            place = _after(buffer, place)
            if (is_over and place == len(buffer)) or (end and buffer.startswith(end, place)):
                break
            try:
                value, place = _DECODER.raw_decode(buffer, place)
            except ValueError:
                if is_over or len(buffer) - place > LONGEST_LINE:
                    raise
                block = text.read(_BLOCK)
                buffer, place, is_over = buffer[place:] + block, 0, not block
                continue
            yield value
        if end and (place == len(buffer) or (buffer[place + 1 :] + text.read(_BLOCK)).strip()):
            _refuse_broken(name)


def _after(buffer: str, place: int) -> int:
    match = _BETWEEN.match(buffer, place)
    return match.end() if match else place


def _refuse_broken(name: str) -> NoReturn:
    refuse(name, "cannot be read as JSON: it is broken off, or a value in it is no JSON", _DO)
