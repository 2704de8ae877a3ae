"""Excel workbooks: a sheet a subject with a frozen header and a filter, and one that says what the numbers mean.

Rows go to the disk as they come (XlsxWriter's constant memory), and every text is written as a text. The archive is
made of them when the last one is known.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, islice
from typing import IO, Any, BinaryIO, cast

from w365.service.exporting.cells import to_json
from w365.service.exporting.subjects import COLUMNS, Kind, Record, Subject, kind_of
from w365.service.insight.statistics import DEFINITIONS
from w365.sheets.lines import put_apostrophes

MOST_ROWS = 1_048_575
"""What a sheet holds below its header; what is more goes on in a next sheet."""

_LONGEST_TEXT = 32_767
_LOOKED_AT = 200
_WIDEST = 60


def write_workbook(
    file: BinaryIO, parts: Iterable[tuple[Subject, Iterable[Record]]], most_rows: int = MOST_ROWS
) -> int:
    """Write the subjects, each with its records, and return the number of rows. The file is only ever appended to."""
    import xlsxwriter

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(cast("IO[bytes]", _Appended(file)), options) as book:
        formats = {
            "header": book.add_format({"bold": True, "bottom": 1}),
            "time": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
            "number": book.add_format({"num_format": "#,##0.######"}),
            "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
        }
        rows = sum(_write_subject(book, formats, subject, iter(records), most_rows) for subject, records in parts)
        _write_definitions(book, formats)
    return rows


class _Appended:
    """A file that cannot go back: the archive then puts sizes behind each part and not before it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, part: bytes) -> int:
        return self._file.write(part)

    def flush(self) -> None:
        self._file.flush()


def _write_subject(
    book: Any, formats: Mapping[str, Any], subject: Subject, records: Iterable[Record], most_rows: int
) -> int:
    """Write one subject, on further sheets where one is full."""
    left, rows, place = iter(records), 0, 1
    while True:
        first = list(islice(left, _LOOKED_AT))
        if place > 1 and not first:
            return rows
        name = subject.value.replace("-", " ").capitalize() + ("" if place == 1 else f" {place}")
        here = chain(first, islice(left, most_rows - len(first)))
        rows += _write_sheet(book.add_worksheet(name), formats, COLUMNS[subject], first, here)
        place += 1


def _write_sheet(
    sheet: Any, formats: Mapping[str, Any], columns: Sequence[str], first: Sequence[Record], records: Iterable[Record]
) -> int:
    sheet.freeze_panes(1, 0)
    for place, name in enumerate(columns):
        sheet.set_column(place, place, _width(name, first))
        sheet.write_string(0, place, _header(name), formats["header"])
    rows = 0
    for rows, record in enumerate(records, start=1):
        for place, (name, value) in enumerate(record.items()):
            if value is not None:
                _write_cell(sheet, formats, rows, place, kind_of(name), value)
    sheet.autofilter(0, 0, max(rows, 1), len(columns) - 1)
    return rows


def _write_cell(sheet: Any, formats: Mapping[str, Any], row: int, place: int, kind: Kind, value: Any) -> None:
    match kind:
        case Kind.WHOLE:
            sheet.write_number(row, place, value)
        case Kind.NUMBER:
            sheet.write_number(row, place, value, formats["number"])
        case Kind.FLAG:
            sheet.write_boolean(row, place, bool(value))
        case Kind.TIME:  # Excel knows no zones; the header says UTC
            at = value.astimezone(dt.UTC).replace(tzinfo=None)
            sheet.write_datetime(row, place, at, formats["time"])
        case Kind.NESTED:
            sheet.write_string(row, place, _text(to_json(value)))
        case _:
            sheet.write_string(row, place, _text(str(value)))


def _text(text: str) -> str:
    """Cut what a cell cannot hold; XlsxWriter would leave it out."""
    safe = put_apostrophes(text)
    return safe if len(safe) <= _LONGEST_TEXT else f"{safe[: _LONGEST_TEXT - 1]}…"


def _header(name: str) -> str:
    return f"{name} (UTC)" if kind_of(name) is Kind.TIME else name


def _width(name: str, first: Sequence[Record]) -> int:
    if kind_of(name) is Kind.TIME:
        return 20
    longest = max((len(str(record[name])) for record in first), default=0)
    return min(max(longest, len(_header(name)) + 2) + 2, _WIDEST)


def _write_definitions(book: Any, formats: Mapping[str, Any]) -> None:
    sheet = book.add_worksheet("Definitions")
    sheet.set_column(0, 0, 20)
    sheet.set_column(1, 1, 100, formats["wrap"])
    sheet.freeze_panes(1, 0)
    for row, pair in enumerate([("Number", "Meaning"), *DEFINITIONS.items()]):
        for place, text in enumerate(pair):
            sheet.write_string(row, place, text, formats["header"] if row == 0 else None)
