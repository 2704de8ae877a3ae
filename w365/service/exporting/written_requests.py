"""A file that is asked for, written as JSON and read again: by another process, perhaps of another version."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from w365.model import ListPart, Reason, Status
from w365.service.exporting.files import FileRequest
from w365.service.exporting.subjects import Format, Subject
from w365.store.reading.worklist import Filter

Json = Mapping[str, Any]


def write_request(request: FileRequest) -> Json:
    """Give it as what JSON has; `json.dumps` needs `default=str` for its dates."""
    return dataclasses.asdict(request)


def read_request(written: Json) -> FileRequest:
    """Read it; raises ValueError, TypeError, KeyError or AttributeError for what no version as this one wrote."""
    return FileRequest(
        tuple(map(Subject, written["subjects"])),
        Format(written["form"]),
        None if written["filter"] is None else Filter(**_values(written["filter"])),
        tuple(written["sections"]),
        None if written["since"] is None else dt.datetime.fromisoformat(written["since"]),
    )


def _values(written: Json) -> dict[str, Any]:
    return {name: None if value is None else _READ.get(name, _as_it_is)(value) for name, value in written.items()}


def _as_it_is(value: object) -> object:
    return value


_READ: Mapping[str, Callable[[Any], object]] = {
    "statuses": lambda words: tuple(map(Status, words)),
    "providers": tuple,
    "reasons": lambda words: tuple(map(Reason, words)),
    "part": ListPart,
    "scores": tuple,
    "since": dt.date.fromisoformat,
    "before": dt.date.fromisoformat,
    "new_since": dt.datetime.fromisoformat,
}
"""What of a filter is no text or number."""
