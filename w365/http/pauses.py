"""How long a busy service asks to wait: by its header, else by what the body of its answer says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from w365.http.retry import parse_http_date, parse_retry_after

_SECONDS_KEYS = frozenset({"retryafter", "retryafterseconds", "retryafterinseconds", "retrydelay"})
_MILLISECONDS_KEYS = frozenset({"retryafterms", "retryafterinms", "retryaftermilliseconds"})
_AMOUNT = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s*s?")
_WORDS = re.compile(
    r"(?:again|retry|replenished|wait)\s+(?:in|after|for)?\s*(\d{1,7}(?:\.\d{1,3})?)\s*"
    r"(milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|hours?)\b",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"(?:again|retry|replenished)\s+(?:in|after)\s+(\d{1,3}):(\d\d):(\d\d)\b", re.IGNORECASE)
_UNITS = (("milli", 0.001), ("ms", 0.001), ("mi", 60.0), ("h", 3600.0), ("s", 1.0))
"""By how their words begin, the first that fits."""
_DEEPEST = 4


def asked_pause(headers: Mapping[str, str], body: Any, now: float) -> float | None:
    """Return the seconds that an answer asks to wait, or None. A date counts on the other side's clock."""
    theirs = parse_http_date(headers.get("date", "")) or now
    told = parse_retry_after(headers.get("retry-after", ""), theirs)
    if told is not None:
        return told
    milliseconds = headers.get("retry-after-ms") or headers.get("x-ms-retry-after-ms") or ""
    if (told := parse_retry_after(milliseconds, theirs)) is not None:
        return told / 1000
    return next(_pauses_in(body), None)


def _pauses_in(value: Any, depth: int = 0) -> Iterator[float]:
    """What fields say, before what sentences say."""
    if depth > _DEEPEST or not isinstance(value, dict | list):
        return
    members = value.items() if isinstance(value, dict) else [("", each) for each in value]
    for name, each in members:
        unit = _unit_of(str(name))
        if unit and (amount := _AMOUNT.fullmatch(str(each).strip())):
            yield float(amount[1]) * unit
    for _, each in members:
        yield from _pauses_in(each, depth + 1)
        if isinstance(each, str):
            yield from _pauses_said(each[:1000])


def _unit_of(name: str) -> float:
    plain = re.sub(r"[^a-z]", "", name.lower())
    return 1.0 if plain in _SECONDS_KEYS else 0.001 if plain in _MILLISECONDS_KEYS else 0.0


def _pauses_said(text: str) -> Iterator[float]:
    if clock := _CLOCK.search(text):
        hours, minutes, seconds = map(int, clock.groups())
        yield hours * 3600.0 + minutes * 60 + seconds
    elif words := _WORDS.search(text):
        unit = words[2].lower()
        yield float(words[1]) * next(seconds for begin, seconds in _UNITS if unit.startswith(begin))
