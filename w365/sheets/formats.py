"""What the number of a cell is: a number, or by its format a date, a time or a duration."""

from __future__ import annotations

import datetime as dt
import re

from w365.sheets import limits
from w365.sheets.limits import refuse
from w365.sheets.markup import read_elements
from w365.sheets.package import Package

NUMBER, DATE, DURATION = 0, 1, 2

SINCE_1900, SINCE_1904 = dt.datetime(1899, 12, 30), dt.datetime(1904, 1, 1)  # noqa: DTZ001 - sheets have no zones

_DATES, _DURATIONS = (*range(14, 23), *range(27, 37), 45, 47, *range(50, 59)), (46,)
"""Formats that have a number only (ECMA-376 part 1, 18.8.30)."""

_WITHOUT_MEANING = re.compile(r'"[^"]*"|\[(?!hh?\]|mm?\]|ss?\])[^\]]*\]|[\\_*].', re.IGNORECASE)


def read_formats(package: Package, part: str | None) -> bytes:
    """Say of each format of cells, by its number, what it makes of a number."""
    kinds = dict.fromkeys(_DATES, DATE) | dict.fromkeys(_DURATIONS, DURATION)
    formats = bytearray()
    if part is None:
        return b""
    for word, parent, attributes in read_elements(package.name, package.blocks(part, limits.MOST_STYLE_BYTES)):
        if word == "numFmt" and parent == "numFmts":
            kinds[int(attributes["numFmtId"])] = find_kind(attributes["formatCode"])
        elif word == "xf" and parent == "cellXfs":
            formats.append(kinds.get(int(attributes.get("numFmtId", 0)), NUMBER))
        if len(formats) > limits.MOST_FORMATS or len(kinds) > limits.MOST_FORMATS:
            refuse(package.name, f"has more than {limits.MOST_FORMATS:,} formats")
        if word == "cellStyles":
            break
    return bytes(formats)


def find_kind(code: str) -> int:
    """Say what a format makes of a number, such as `yyyy-mm-dd` or `[h]:mm`."""
    first = _WITHOUT_MEANING.sub("", code.partition(";")[0]).lower()
    if re.search(r"\[(h|m|s)", first):
        return DURATION
    return DATE if re.search("[dmhys]", first) else NUMBER


def read_date(days: float, kind: int, since: dt.datetime) -> dt.datetime | dt.time | dt.timedelta:
    """Read a number of days as Excel means it, to the millisecond. Excel's 1900 has a 29 February (number 60)."""
    rounded = dt.timedelta(milliseconds=round(days * 86_400_000))
    if kind == DURATION:
        return rounded
    if dt.timedelta() <= rounded < dt.timedelta(days=1):
        return (since + rounded).time()
    return since + rounded + dt.timedelta(days=since == SINCE_1900 and 0 < days < 60)
