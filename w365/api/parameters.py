"""What a request asks for, checked: everything from the browser is bounded and has a shape, or is refused."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from starlette.datastructures import QueryParams
from starlette.requests import Request

from w365.errors import InputError
from w365.model import ListPart, Reason, ScoreBand, Status
from w365.store.reading.worklist import MOST_ROWS, Filter, Sort

ALL = "all"
"""Every status."""
LONGEST_TEXT = 200
LONGEST_BODY = 4_096
_MOST_VALUES = 50
LONGEST_NUMBER = 15
_LATEST = 2**42
"""In milliseconds since 1970, the year 2109."""
_LARGEST = 2**53
"""Whole numbers up to here are exact in a browser."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Block:
    """Rows `start` up to `end`. `total` is the count the client was told before, None to count."""

    wanted: Filter
    sort: Sort
    descending: bool
    start: int
    end: int
    total: int | None


@dataclass(frozen=True, slots=True)
class Edit:
    """Map `row` to `account`, or unmap it when None; `seen` is the version the person looked at."""

    row: int
    account: int | None
    seen: int


def read_block(query: QueryParams) -> Block:
    start, end = _number(query, "start", 0), _number(query, "end", 100)
    if not start < end <= start + MOST_ROWS:
        raise InputError(f"A block has 1 to {MOST_ROWS:,} rows.")
    return Block(
        read_filter(query),
        _word(Sort, query.get("sort") or Sort.NAME, "column to sort by"),
        descending=_flag(query, "descending") or False,
        start=start,
        end=end,
        total=_number(query, "total", None),
    )


def read_filter(query: QueryParams) -> Filter:
    """Read the parts of the filter; unknown words are refused, empty parts do not filter.

    Among the statuses stands what part of the list is asked for, or `all`, as in the page's address.
    """
    asked = [text for text in _bounded(query.getlist("status")) if text != ALL]
    parts = [ListPart(text) for text in asked if text in list(ListPart)]
    if len(parts) > 1:
        raise InputError("A filter may have one part of the list.")
    return Filter(
        statuses=_words(Status, (text for text in asked if text not in parts), "status"),
        providers=tuple(_whole(text, "provider") for text in _bounded(query.getlist("provider"))),
        reasons=_words(Reason, query.getlist("reason"), "reason"),
        text=read_text(query, "text"),
        part=next((part for part in parts if part is not ListPart.NEW), None),
        owner=_owner(read_text(query, "owner")),
        scores=_word(ScoreBand, query["score"], "score band").bounds if query.get("score") else None,
        since=_day(query, "since"),
        before=_day(query, "before"),
        new_since=_time(query, "new_since"),
    )


def _owner(text: str) -> str | None:
    """A name; an asterisk begins what is no name: nobody."""
    return None if not text else text if text[0] != "*" else ""


def _day(query: QueryParams, name: str) -> dt.date | None:
    text = query.get(name, "")
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise InputError(f"“{text[:40]}” is no day for {name}.") from None


def read_text(query: QueryParams, name: str) -> str:
    """Read typed text, cut to what a search box holds. PostgreSQL knows no NUL in text."""
    return query.get(name, "").replace("\0", "")[:LONGEST_TEXT]


def read_row(query: QueryParams) -> int | None:
    return _number(query, "row", None)


async def read_edit(request: Request) -> Edit:
    """Read the body of an edit; InputError when it is too long or not what is expected."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LONGEST_BODY:
            raise _unreadable()
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise _unreadable() from None
    if not isinstance(value, dict) or value.keys() != {"row", "account", "seen"}:
        raise _unreadable()
    account = value["account"]
    return Edit(_checked(value["row"]), None if account is None else _checked(account), _checked(value["seen"]))


def _checked(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _LARGEST:
        raise _unreadable()
    return value


def _unreadable() -> InputError:
    return InputError("The edit could not be read.", kept="Nothing was changed.", do="Reload the page.")


def _number(query: QueryParams, name: str, default: T) -> int | T:
    text = query.get(name, "")
    return _whole(text, name) if text else default


def _whole(text: str, name: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > LONGEST_NUMBER:
        raise InputError(f"“{text[:40]}” is no number for {name}.")
    return int(text)


def _flag(query: QueryParams, name: str) -> bool | None:
    text = query.get(name, "")
    if text not in ("", "0", "1"):
        raise InputError(f"{name} is 0 or 1.")
    return text == "1" if text else None


def _time(query: QueryParams, name: str) -> dt.datetime | None:
    """Read a time given in milliseconds since 1970."""
    number = _number(query, name, None)
    if number is not None and number > _LATEST:
        raise InputError(f"There is no time {number}.")
    return None if number is None else dt.datetime.fromtimestamp(number / 1000, dt.UTC)


def _words(read: Callable[[str], T], texts: Iterable[str], name: str) -> tuple[T, ...]:
    return tuple(_word(read, text, name) for text in _bounded(texts))


def _word(read: Callable[[str], T], text: str, name: str) -> T:
    try:
        return read(text)
    except ValueError:
        raise InputError(f"There is no {name} “{text[:40]}”.") from None


def _bounded(texts: Iterable[str]) -> list[str]:
    found = [text for text in texts if text]
    if len(found) > _MOST_VALUES:
        raise InputError(f"A filter may have {_MOST_VALUES} values.")
    return found
