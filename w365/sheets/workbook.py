"""The first sheet of an Excel workbook, row by row, every value as the text that a person would have typed."""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from w365.errors import InputError
from w365.sheets.lines import Content, Line, open_bytes

LARGEST = 1 << 30
"""Unpacked; a small file can be made that unpacks to fill the memory."""

_DAMAGED = (zipfile.BadZipFile, zlib.error, InvalidFileException, ET.ParseError, KeyError, ValueError, EOFError)

_EXACT = 10**15
"""Excel keeps 15 digits of a number."""


def read_rows(name: str, content: Content) -> Iterator[Line]:
    """Yield every row as it stands, headings included."""
    try:
        with open_bytes(content) as file, closing(openpyxl.load_workbook(file, read_only=True, data_only=True)) as book:
            sheet = next(iter(book.worksheets), None)
            if sheet is None:
                return
            sheet.reset_dimensions()  # some programs write wrong ones, and rows beyond would be lost
            for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
                yield Line(number, _trimmed(tuple(say_value(value) for value in row)))
    except _DAMAGED as error:
        raise InputError(
            f"{name} is damaged: it cannot be read as an Excel workbook.",
            kept="Nothing was read.",
            do="Open it in Excel, save it again and choose it anew.",
            detail=str(error),
        ) from None


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


def _trimmed(cells: tuple[str, ...]) -> tuple[str, ...]:
    """Without the empty cells at the end, which a row has as soon as one below it was longer."""
    last = max((place for place, cell in enumerate(cells, start=1) if cell), default=0)
    return cells[:last]
