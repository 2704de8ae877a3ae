"""Reading fields of records that others wrote. Each function returns the value or raises FieldError saying why not."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from w365.errors import SourceChanged
from w365.source_records import Rejected

_GUID = re.compile(r"\{?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\}?", re.IGNORECASE)
_UNWANTED = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_LONGEST_TEXT = 500
_LARGEST_AMOUNT = 1_000_000
_EARLIEST_YEAR = 1900
_FEWEST_FOR_PATTERN = 5

Record = Mapping[str, Any]


class FieldError(Exception):
    """A field has not the form it must have; ``args[0]`` is a sentence about the field, the same for each record."""


def clean_text(text: str) -> str:
    """Drop what no database or screen takes (control characters, lone surrogates) and cut absurd lengths.

    Everything else stays as it is: emoji, writing from right to left, accents.
    """
    if not text.isprintable():
        text = _UNWANTED.sub("", text)
    return text.strip()[:_LONGEST_TEXT]


def required_text(record: Record, name: str) -> str:
    """Return a text that must be there; it may be empty."""
    if name not in record:
        raise FieldError(f"{name} is missing.")
    if not isinstance(value := record[name], str):
        raise FieldError(f"{name} is not text.")
    return clean_text(value)


def nullable_text(record: Record, name: str) -> str:
    """Return a text that may be null (then empty) but whose field must be there."""
    return "" if name in record and record[name] is None else required_text(record, name)


def optional_text(record: Record, name: str) -> str:
    """Return a text whose field may be missing or null (then empty)."""
    return "" if record.get(name) is None else required_text(record, name)


def required_id(record: Record, name: str) -> str:
    """Return an identifier: a GUID in lower case without braces, or another text as it stands."""
    value = required_text(record, name)
    if not value:
        raise FieldError(f"{name} is empty.")
    if len(value) > 100 or value in {".", ".."}:
        raise FieldError(f"{name} is not an identifier.")
    return guid_or_empty(value) or value


def required_guid(record: Record, name: str) -> str:
    if not (guid := guid_or_empty(required_text(record, name))):
        raise FieldError(f"{name} is not a GUID.")
    return guid


def guid_or_empty(text: str) -> str:
    """Return the GUID in lower case without braces, or "" when ``text`` is none."""
    match = _GUID.fullmatch(text.strip())
    return match[1].lower() if match else ""


def required_int(record: Record, name: str) -> int:
    value = record.get(name)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 2**63:
        raise FieldError(f"{name} is not a whole number.")
    return value


def required_amount(record: Record, name: str) -> int:
    """Return how many were bought. What nobody buys would make the sums of all others overflow."""
    value = required_int(record, name)
    if not 0 <= value <= _LARGEST_AMOUNT:
        raise FieldError(f"{name} is not a number from 0 to {_LARGEST_AMOUNT:,}.")
    return value


def required_quantity(record: Record, name: str) -> int:
    """Return how many were bought, of what is also sold in parts: a part takes a whole one."""
    value = record.get(name)
    if isinstance(value, float) and math.isfinite(value):
        record = {name: math.ceil(value) if value > 0 else math.floor(value)}
    return required_amount(record, name)


def required_record(record: Record, name: str) -> Record:
    value = record.get(name)
    if not isinstance(value, dict):
        raise FieldError(f"{name} is missing." if value is None else f"{name} is not an object.")
    return value


def loose_moment(value: object) -> dt.datetime | None:
    """Return a moment in UTC; None for what is not one. Blanks inside, as in ``06: 41: 12Z``, are forgiven.

    The year 1 is how .NET writes that there is no moment.
    """
    if not isinstance(value, str) or len(value) > 64:
        return None
    try:
        moment = dt.datetime.fromisoformat("".join(value.split()))
        utc = (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
    return utc if utc.year >= _EARLIEST_YEAR else None


def name_record(value: object, id_field: str, position: int) -> str:
    """Return how to call a rejected record: its id where it has a usable one, else its place on the page."""
    identifier = value.get(id_field) if isinstance(value, dict) else None
    is_usable = isinstance(identifier, str | int) and not isinstance(identifier, bool) and str(identifier).strip()
    return clean_text(str(identifier))[:100] if is_usable else f"record {position + 1} of its page"


def find_pattern(rejected: Sequence[Rejected], records: int) -> tuple[str, int]:
    """Return the one defect of more than half of a page's records (five or more) and its count; else nothing and 0."""
    if records < _FEWEST_FOR_PATTERN or not rejected:
        return "", 0
    why, count = Counter(entry.why for entry in rejected).most_common(1)[0]
    return (why, count) if count * 2 > records else ("", 0)


def refuse_pattern(source: str, rejected: Sequence[Rejected], records: int) -> None:
    """Raise SourceChanged when one and the same defect is in more than half of a page's records (five or more)."""
    why, count = find_pattern(rejected, records)
    if count:
        raise SourceChanged(
            f"{source} answers differently than documented, in {count} of {records} records: {why}",
            kept="Nothing of this page was stored; what was stored before is kept.",
            do="Look for a newer version of this program, or report this sentence.",
        )
