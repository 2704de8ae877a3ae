"""CSV and JSON, row by row."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Iterable, Sequence
from typing import BinaryIO

from w365.service.exporting.cells import safe_cell, to_utc_text
from w365.service.exporting.subjects import COLUMNS, Record, Subject


def write_csv(file: BinaryIO, subject: Subject, records: Iterable[Record]) -> int:
    """Write comma-separated UTF-8 with the mark that Excel needs; return the number of rows."""
    text = io.TextIOWrapper(file, "utf-8-sig", newline="", write_through=False)
    try:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS[subject])
        rows = 0
        for record in records:
            writer.writerow([_cell(value) for value in record.values()])
            rows += 1
        return rows
    finally:
        text.detach()


def csv_bytes(headings: Sequence[str], rows: Iterable[Iterable[object]] = ()) -> bytes:
    """Make a small table in memory, written in the same way."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(headings)
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _cell(value: object) -> object:
    return to_utc_text(value) if isinstance(value, dt.datetime) else safe_cell(value)


def write_json(file: BinaryIO, _subject: Subject, records: Iterable[Record]) -> int:
    """Write one list of objects, an object a line; return the number of rows."""
    file.write(b"[")
    rows = 0
    for record in records:
        text = json.dumps(record, ensure_ascii=False, default=_value, allow_nan=False)
        file.write((",\n" if rows else "\n").encode() + text.encode())
        rows += 1
    file.write(b"\n]\n" if rows else b"]\n")
    return rows


def _value(value: object) -> object:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    raise TypeError(type(value).__name__)
