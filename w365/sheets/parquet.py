"""Parquet as exports write it, some rows at a time."""

from __future__ import annotations

import datetime as dt
import io
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from w365.sheets.formats import show_plainly
from w365.sheets.limits import LONGEST_CELL, MOST_BYTES, MOST_CELLS, MOST_COLUMNS, MOST_ROWS, refuse
from w365.sheets.lines import Content, Line
from w365.sheets.records import text_of

_BATCH = 1_000
_DO = "Write it anew, or save the table as CSV."
_MOST_AT_ONCE = 1 << 28
"""Bytes of a group of rows, which is the least that is unpacked."""


def read_rows(name: str, content: Content) -> Callable[[], Iterator[Line]]:
    """Give what yields a line of headings and then a line a row; InputError for what is damaged or too much."""
    with _told(name):
        headings = _check(name, content)

    def read() -> Iterator[Line]:
        yield Line(1, headings)
        number = 1
        with _told(name):
            for batch in _open(content, read_dictionary=headings).iter_batches(_BATCH, use_threads=False):
                columns = [_texts_of(name, column) for column in batch.columns]
                for cells in zip(*columns, strict=True):
                    number += 1
                    yield Line(number, cells)

    return read


def _open(content: Content, **options: Any) -> Any:
    import pyarrow.parquet as pq

    source = io.BytesIO(content) if isinstance(content, bytes) else str(content)
    return pq.ParquetFile(source, pre_buffer=False, memory_map=False, thrift_string_size_limit=1 << 24, **options)


def _check(name: str, content: Content) -> tuple[str, ...]:
    about = _open(content).metadata
    if about.num_rows > MOST_ROWS:
        refuse(name, f"has more than {MOST_ROWS:,} rows")
    if about.num_columns > MOST_COLUMNS:
        refuse(name, f"has more than {MOST_COLUMNS:,} columns")
    if about.num_rows * about.num_columns > MOST_CELLS:
        refuse(name, f"has more than {MOST_CELLS:,} cells")
    groups = [about.row_group(place).total_byte_size for place in range(about.num_row_groups)]
    if sum(groups) > MOST_BYTES or max(groups, default=0) > _MOST_AT_ONCE:
        refuse(name, f"unpacks to more than {_MOST_AT_ONCE >> 20:,} MB at once", _DO)
    return tuple(about.schema.to_arrow_schema().names)


def _texts_of(name: str, column: Any) -> list[str]:
    """Make texts of a column. One that stands often is one in memory too, as it is in the file."""
    values = column.dictionary if hasattr(column, "dictionary") else column
    texts = [_text_of(value) for value in values.to_pylist()]
    if max(map(len, texts), default=0) > LONGEST_CELL:
        refuse(name, f"has a cell of more than {LONGEST_CELL:,} characters")
    if values is column:
        return texts
    return ["" if place is None else texts[place] for place in column.indices.to_pylist()]


def _text_of(value: object) -> str:
    if isinstance(value, (dt.date, dt.time, dt.datetime)):
        return value.isoformat()
    if isinstance(value, float):
        return "" if math.isnan(value) else show_plainly(value)[0]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").replace("\0", "\ufffd")
    return text_of(value if isinstance(value, (str, bool, int, float, list, dict)) or value is None else str(value))


@contextmanager
def _told(name: str) -> Iterator[None]:
    """What a damaged file raises."""
    from pyarrow import ArrowException

    try:
        yield
    except (ArrowException, ValueError, OSError, LookupError, TypeError, OverflowError, MemoryError, RuntimeError):
        refuse(name, "is damaged: it cannot be read as a Parquet file", _DO)
