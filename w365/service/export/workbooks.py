"""Excel workbooks: a sheet a subject with a frozen header and a filter, and one that says what the numbers mean.

A workbook is a zip archive of XML files. Rows become XML and leave as they come, packed, so that a large workbook is
on its way while it is made: libraries write the archive when the last row is known.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from typing import IO, Any, BinaryIO, cast

from w365.service.export import sheet_xml as xml
from w365.service.export.cells import flat, safe_text
from w365.service.export.subjects import COLUMNS, Kind, Record, Subject, kind_of
from w365.service.statistics import DEFINITIONS

MOST_ROWS = 1_048_575
"""What a sheet holds below its header; what is more goes on in a next sheet."""

MOST_BYTES = 2**30
"""What a sheet may take unpacked: beyond four times that an archive needs extensions that Excel does not read."""

_LOOKED_AT = 200
_WIDEST = 60
_ROWS_AT_ONCE = 500


def write_workbook(
    file: BinaryIO,
    parts: Iterable[tuple[Subject, Iterable[Record]]],
    most_rows: int = MOST_ROWS,
    most_bytes: int = MOST_BYTES,
) -> int:
    """Write the subjects, each with its records, and return the number of rows. The file is only ever appended to."""
    appended = cast("IO[bytes]", _Appended(file))
    with zipfile.ZipFile(appended, "w", zipfile.ZIP_DEFLATED) as archive:
        book = _Book(archive, most_rows, most_bytes)
        rows = sum(book.write_subject(subject, iter(records)) for subject, records in parts)
        book.write_definitions()
        book.finish()
    return rows


class _Appended:
    """A file that cannot go back: the archive then puts sizes behind each part and not before it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, part: bytes) -> int:
        return self._file.write(part)

    def flush(self) -> None:
        self._file.flush()


class _Book:
    def __init__(self, archive: zipfile.ZipFile, most_rows: int, most_bytes: int) -> None:
        self._archive, self._most_rows, self._most_bytes = archive, most_rows, most_bytes
        self._sheets: list[tuple[str, str]] = []
        self._write("_rels/.rels", xml.RELATIONSHIPS)
        self._write("xl/styles.xml", xml.STYLES)

    def write_subject(self, subject: Subject, left: Iterator[Record]) -> int:
        """Write one subject, on further sheets where one is full."""
        rows, place = 0, 1
        while True:
            first = list(islice(left, min(_LOOKED_AT, self._most_rows)))
            if place > 1 and not first:
                return rows
            name = subject.value.capitalize() + ("" if place == 1 else f" {place}")
            rows += self._write_sheet(name, COLUMNS[subject], first, left)
            place += 1

    def _write_sheet(self, name: str, columns: Sequence[str], first: Sequence[Record], left: Iterator[Record]) -> int:
        """Write the first records and of the others as many as there is room for."""
        named = [(xml.column_letters(place), column) for place, column in enumerate(columns)]
        shaped = [(letter, kind_of(column)) for letter, column in named]
        records, rows = chain(first, left), 0
        with self._sheet(xml.sheet_start([_width(column, first) for column in columns])) as sheet:
            header = (xml.text_cell(f"{letter}1", _header(column), xml.HEADER) for letter, column in named)
            written = sheet.write(xml.row(1, "".join(header)).encode())
            while rows < self._most_rows and (rows < len(first) or written < self._most_bytes):
                part = list(islice(records, min(_ROWS_AT_ONCE, self._most_rows - rows)))
                if not part:
                    break
                lines = (_row(number, shaped, record) for number, record in enumerate(part, start=rows + 2))
                written += sheet.write("".join(lines).encode())
                rows += len(part)
            area = f"A1:{named[-1][0]}{max(rows, 1) + 1}"
            sheet.write(xml.sheet_end(area).encode())
        self._sheets.append((name, area))
        return rows

    def write_definitions(self) -> None:
        with self._sheet(xml.sheet_start([20, 100], [0, xml.WRAP])) as sheet:
            for number, (word, meaning) in enumerate([("Number", "Meaning"), *DEFINITIONS.items()], start=1):
                styles = (xml.HEADER, xml.HEADER) if number == 1 else (0, xml.WRAP)
                cells = zip(("A", "B"), (word, meaning), styles, strict=True)
                line = "".join(xml.text_cell(f"{letter}{number}", text, style) for letter, text, style in cells)
                sheet.write(xml.row(number, line).encode())
            sheet.write(xml.sheet_end("").encode())
        self._sheets.append(("Definitions", ""))

    def finish(self) -> None:
        self._write("xl/workbook.xml", xml.workbook(self._sheets))
        self._write("xl/_rels/workbook.xml.rels", xml.workbook_relationships(len(self._sheets)))
        self._write("[Content_Types].xml", xml.content_types(len(self._sheets)))

    @contextmanager
    def _sheet(self, start: str) -> Iterator[IO[bytes]]:
        with self._archive.open(f"xl/worksheets/sheet{len(self._sheets) + 1}.xml", "w") as sheet:
            sheet.write(start.encode())
            yield sheet

    def _write(self, name: str, text: str) -> None:
        with self._archive.open(name, "w") as part:
            part.write(text.encode())


def _row(number: int, shaped: Sequence[tuple[str, Kind]], record: Record) -> str:
    cells = zip(shaped, record.values(), strict=True)
    return xml.row(
        number, "".join(_cell(f"{letter}{number}", kind, value) for (letter, kind), value in cells if value is not None)
    )


def _cell(place: str, kind: Kind, value: Any) -> str:
    match kind:
        case Kind.WHOLE:
            return xml.number_cell(place, value)
        case Kind.NUMBER:
            return xml.number_cell(place, value, xml.NUMBER)
        case Kind.FLAG:
            return xml.flag_cell(place, value=bool(value))
        case Kind.TIME:  # Excel knows no zones; the header says UTC
            return xml.time_cell(place, value)
        case Kind.NESTED:
            return xml.text_cell(place, safe_text(flat(value)))
        case _:
            return xml.text_cell(place, safe_text(str(value)))


def _header(name: str) -> str:
    return f"{name} (UTC)" if kind_of(name) is Kind.TIME else name


def _width(name: str, first: Sequence[Record]) -> int:
    if kind_of(name) is Kind.TIME:
        return 20
    longest = max((len(str(record[name])) for record in first), default=0)
    return min(max(longest, len(_header(name)) + 2) + 2, _WIDEST)
