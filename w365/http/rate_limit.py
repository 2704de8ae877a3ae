"""One limiter per host: all requests to it keep its pace and stand still together when it asks for that."""

from __future__ import annotations

import dataclasses
import threading
from urllib.parse import urlsplit

from w365.http.wait import REAL_CLOCK, Check, Clock, Waiting, never_stop

_BURST_SHARE = 0.03
"""Of a minute's calls, how many may come at once. The steady pace is lowered by as much, so that burst and pace
together never put more calls into any minute than the host allows: the less, the nearer the limit. What it makes up
for is the time between two pages, while nothing is asked."""

_WORTH_SAYING = 1.0
"""Seconds of waiting below which nobody needs a reason."""


class RateLimiter:
    """The pace and the pauses of one host, shared by every thread and client that calls it."""

    def __init__(self, calls_per_minute: int | None = None, clock: Clock = REAL_CLOCK) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._paused_until = 0.0
        self._waiting: Waiting | None = None
        self.set_pace(calls_per_minute)

    def set_pace(self, calls_per_minute: int | None) -> None:
        with self._lock:
            self._calls_per_minute = calls_per_minute
            burst = int((calls_per_minute or 0) * _BURST_SHARE)
            self._interval = 60.0 / max(calls_per_minute - burst, 1) if calls_per_minute else 0.0
            self._slack = max(burst - 1, 0) * self._interval
            self._next_slot = 0.0

    @property
    def waiting(self) -> Waiting | None:
        """Why calls wait just now, or None."""
        waiting = self._waiting
        left = waiting.until - self._clock.monotonic() if waiting else 0.0
        return dataclasses.replace(waiting, seconds=left) if waiting and left > 0 else None

    def acquire(self, check: Check = never_stop) -> None:
        """Return when a call may go out."""
        if not self._interval and not self._paused_until:
            return
        self._wait_for_slot(check)
        while (until := self._paused_until) > self._clock.monotonic():
            self._clock.wait_until(until, check)

    def pause(self, seconds: float, why: str) -> None:
        """Hold every call to the host for ``seconds`` from now; a longer pause already ordered stays."""
        with self._lock:
            until = self._clock.monotonic() + seconds
            if until > self._paused_until:
                self._paused_until = self._next_slot = until
                self._waiting = Waiting(why, until)

    def announce(self, seconds: float, why: str) -> None:
        """Show a wait of one call that does not hold the others."""
        until = self._clock.monotonic() + seconds
        if seconds >= _WORTH_SAYING and self.waiting is None:
            self._waiting = Waiting(why, until)

    def _wait_for_slot(self, check: Check) -> None:
        if not self._interval:
            return
        with self._lock:
            now = self._clock.monotonic()
            slot = max(self._next_slot, now - self._slack)
            self._next_slot = slot + self._interval
        if slot > now:
            self.announce(
                slot - now, f"Calls are kept to {self._calls_per_minute} a minute, the limit of this service."
            )
            self._clock.wait_until(slot, check)


class RateLimiters:
    """The limiters of this process by origin, so that two clients of one host share its pace and its pauses."""

    def __init__(self, clock: Clock = REAL_CLOCK) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._by_origin: dict[str, RateLimiter] = {}

    def of(self, url: str) -> RateLimiter:
        """Return the limiter of the host of ``url`` at the pace it has; a host nobody paced has none."""
        with self._lock:
            return self._by_origin.setdefault(_origin_in(url), RateLimiter(None, self._clock))

    def at(self, url: str, calls_per_minute: int | None) -> RateLimiter:
        """Return the limiter of the host of ``url``; a changed pace takes effect for all who share it."""
        origin = _origin_in(url)
        with self._lock:
            limiter = self._by_origin.get(origin)
            if limiter is None:
                limiter = self._by_origin[origin] = RateLimiter(calls_per_minute, self._clock)
            elif limiter._calls_per_minute != calls_per_minute:  # noqa: SLF001 - the registry and its limiters are one thing
                limiter.set_pace(calls_per_minute)
            return limiter


def _origin_in(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 443}"


SHARED_LIMITERS = RateLimiters()
