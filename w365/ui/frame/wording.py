"""How pages write numbers, times and other people's text."""

from __future__ import annotations

import datetime as dt
import re
import string
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

_ESCAPED = str.maketrans({mark: f"\\{mark}" for mark in string.punctuation})
_LINKED = re.compile(r"https?:|www\.|@", re.IGNORECASE)
_STEPS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


def plain(text: str) -> str:
    """Make text of a provider or the CRM show as it is inside Markdown: `:red[x]`, `$x$` and `<b>` stay characters.

    Line breaks become spaces. An invisible word joiner keeps addresses from becoming links. Text that goes into a
    table needs no such care.
    """
    return _LINKED.sub(lambda match: f"{match[0]}\u2060", " ".join(text.split())).translate(_ESCAPED)


def short(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def number(value: int) -> str:
    return f"{value:,}"


def counted(value: int, noun: str, plural: str = "") -> str:
    return f"{value:,} {noun if value == 1 else plural or f'{noun}s'}"


def percent(share: float | None) -> str:
    """Say a share with one decimal; a share below 1 never reads as 100.0 %."""
    if share is None:
        return "–"
    return f"{min(share * 100, 99.9) if share < 1 else 100.0:.1f} %"


def duration(span: dt.timedelta | None) -> str:
    """Say a time span by its largest unit, rounded down."""
    if span is None:
        return "–"
    seconds = max(int(span.total_seconds()), 0)
    for size, noun in _STEPS:
        if seconds >= size:
            return counted(seconds // size, noun)
    return counted(seconds, "second")


def local_zone() -> dt.tzinfo:
    """The zone of the browser; UTC where it does not tell."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return dt.UTC


def full_time(at: dt.datetime, zone: dt.tzinfo) -> str:
    """Say a time with its date and zone."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def clock_time(at: dt.datetime, now: dt.datetime, zone: dt.tzinfo) -> str:
    """Say a time with its zone, and with the date unless it is today's."""
    local = at.astimezone(zone)
    if local.date() == now.astimezone(zone).date():
        return f"{local:%H:%M %Z}"
    return full_time(at, zone)


def ago(at: dt.datetime, now: dt.datetime) -> str:
    span = now - at
    return "just now" if span < dt.timedelta(minutes=1) else f"{duration(span)} ago"
