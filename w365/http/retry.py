"""How long and how often a request is tried again, and what a Retry-After header may make us do."""

from __future__ import annotations

import datetime as dt
import math
import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

_SECONDS = re.compile(r"\s*\d{1,10}(\.\d{0,6})?\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Patience:
    """Bounds of one request, in seconds, tries and bytes.

    ``total`` bounds one try from connecting to the last byte of the body. ``longest_pause`` is the longest wait the
    other side may ask for; a longer one ends the request with SourceBusy.
    """

    tries: int = 4
    busy_tries: int = 12
    first_delay: float = 1.0
    longest_delay: float = 30.0
    longest_pause: float = 600.0
    connect: float = 10.0
    read: float = 60.0
    total: float = 180.0
    body_bytes: int = 32 * 1024 * 1024

    def delay(self, failures: int, chance: float) -> float:
        """Return the wait after ``failures`` failed tries: doubling, and between half and all of it by chance."""
        full = min(self.first_delay * 2.0 ** (failures - 1), self.longest_delay)
        return full * (0.5 + chance / 2)


PATIENCE = Patience()


def parse_retry_after(text: str, now: float) -> float | None:
    """Return the seconds a Retry-After header asks for, given as number or HTTP date; None when it makes no sense.

    ``now`` is the wall clock. Negative numbers, NaN, infinities and dates that cannot be read make no sense; a date
    that has passed means now.
    """
    if _SECONDS.fullmatch(text):
        seconds = float(text)
        return seconds if math.isfinite(seconds) else None
    moment = parse_http_date(text)
    return None if moment is None else max(moment - now, 0.0)


def parse_http_date(text: str) -> float | None:
    """Return an HTTP date as seconds since the epoch, or None."""
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def say_duration(seconds: float) -> str:
    """Say a wait in words: ``57 seconds``, ``3 minutes``, ``2 hours``."""
    for unit, length in (("hour", 3600), ("minute", 60)):
        if seconds >= 2 * length:
            return f"{math.ceil(seconds / length)} {unit}s"
    whole = math.ceil(seconds)
    return "1 second" if whole == 1 else f"{whole} seconds"
