"""Parquet, a group of rows at a time, with a type for every column."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any, BinaryIO

from w365.service.exporting.cells import to_json
from w365.service.exporting.subjects import COLUMNS, Kind, Record, Subject, kind_of

_GROUP = 20_000


def write_parquet(file: BinaryIO, subject: Subject, records: Iterable[Record]) -> int:
    """Write typed columns; text is as it is, as no program runs it. Return the number of rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, _type(pa, kind_of(name))) for name in COLUMNS[subject]])
    left, rows = iter(records), 0
    with pq.ParquetWriter(file, schema) as writer:
        while part := list(islice(left, _GROUP)):
            columns = {name: [_value(record[name], kind_of(name)) for record in part] for name in schema.names}
            writer.write_table(pa.table(columns, schema=schema))
            rows += len(part)
    return rows


def _type(pa: Any, kind: Kind) -> Any:
    return {
        Kind.WHOLE: pa.int64(),
        Kind.NUMBER: pa.float64(),
        Kind.FLAG: pa.bool_(),
        Kind.TIME: pa.timestamp("us", tz="UTC"),
    }.get(kind, pa.string())


def _value(value: object, kind: Kind) -> object:
    if value is None:
        return None
    if kind is Kind.NESTED:
        return to_json(value)
    return bool(value) if kind is Kind.FLAG else value
