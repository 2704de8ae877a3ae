"""Telling from an answer's Date header that this machine's clock is wrong."""

from __future__ import annotations

from w365.http.retry import parse_http_date, say_duration

_TOLERATED = 300.0
"""Seconds; what Entra ID tolerates as well."""


def describe_skew(date: str, now: float) -> str:
    """Return a sentence on how far the wall clock ``now`` is from the ``date`` an answer carries, or ""."""
    moment = parse_http_date(date) if date else None
    if moment is None or abs(moment - now) <= _TOLERATED:
        return ""
    direction = "behind" if moment > now else "ahead of"
    return f"The clock of this machine is {say_duration(abs(moment - now))} {direction} the other side's."
