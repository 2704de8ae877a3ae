"""The tries of one request: after each failure (429, 5xx, no answer) either a wait, or the error that ends it."""

from __future__ import annotations

import datetime as dt

from w365.errors import SourceBusy, SourceSilent, SourceUnreachable
from w365.http.conditions import Conditions
from w365.http.rate_limit import RateLimiter
from w365.http.refusal import Refusal
from w365.http.retry import say_duration
from w365.http.transport import NoAnswer
from w365.http.wait import Check

KEPT = "What was stored so far is kept."


class Attempts:
    """Counts failures of one request to ``source`` and decides. ``is_repeatable`` false means: one try only.

    ``is_tried_once`` as well, but the request may be repeated: a pause that is asked for is kept, and then it is.
    """

    def __init__(
        self,
        source: str,
        limiter: RateLimiter,
        conditions: Conditions,
        check: Check,
        *,
        is_repeatable: bool,
        is_tried_once: bool = False,
    ) -> None:
        self._source = source
        self._limiter = limiter
        self._conditions = conditions
        self._check = check
        self._is_repeatable = is_repeatable
        self._is_tried_once = is_tried_once
        self._failures = 0
        self._busy = 0
        self._paused = 0.0

    def after_no_answer(self, fault: NoAnswer) -> None:
        """Wait for the next try, or raise SourceSilent."""
        self._failures += 1
        if fault.is_lasting or not self._may_repeat():
            raise self._unreachable(fault) from None
        self._back_off(f"{self._source} is asked again: {fault.why}.")

    def after_server_error(self, refusal: Refusal) -> None:
        """Wait for the next try, or raise SourceUnreachable."""
        self._failures += 1
        if not self._may_repeat():
            raise SourceUnreachable(
                f"{self._source} answered {self._times()} with a server error ({refusal.say()}).",
                kept=KEPT if self._is_repeatable else _UNKNOWN,
                do=_LATER if self._is_repeatable else _LOOK_FIRST,
                detail=refusal.detail,
            )
        self._back_off(f"{self._source} is asked again after a server error ({refusal.status}).")

    def after_busy(self, refusal: Refusal) -> None:
        """Pause every call to the host as long as it asks for, or raise SourceBusy when that is too long."""
        self._busy += 1
        patience = self._conditions.patience
        asked = refusal.asked_pause(self._conditions.clock.wall())
        seconds = asked if asked is not None and asked >= 1 else self._delay(self._busy)
        self._paused += seconds
        if self._paused > patience.longest_pause or self._busy >= patience.busy_tries or not self._is_repeatable:
            raise self._too_busy(refusal, seconds)
        self._limiter.pause(seconds, f"{self._source} asked for a pause of {say_duration(seconds)}.")

    def _may_repeat(self) -> bool:
        is_again = self._is_repeatable and not self._is_tried_once
        return is_again and self._failures < self._conditions.patience.tries

    def _times(self) -> str:
        return "once" if self._failures == 1 else f"{self._failures} times"

    def _delay(self, failures: int) -> float:
        return self._conditions.patience.delay(failures, self._conditions.clock.chance())

    def _back_off(self, why: str) -> None:
        seconds = self._delay(self._failures)
        self._limiter.announce(seconds, why)
        clock = self._conditions.clock
        clock.wait_until(clock.monotonic() + seconds, self._check)

    def _unreachable(self, fault: NoAnswer) -> SourceSilent:
        tried = f" (tried {self._times()})" if self._failures > 1 else ""
        is_harmless = self._is_repeatable or not fault.sent
        return SourceSilent(
            f"{self._source} cannot be reached: {fault.why}{tried}.",
            kept=KEPT if is_harmless else _UNKNOWN,
            do=fault.advice or (_LATER if is_harmless else _LOOK_FIRST),
            detail=fault.detail,
        )

    def _too_busy(self, refusal: Refusal, seconds: float) -> SourceBusy:
        again = dt.datetime.fromtimestamp(self._conditions.clock.wall() + min(seconds, _LONGEST_NAMED), dt.UTC)
        return SourceBusy(
            f"{self._source} is busy and asks to wait {say_duration(seconds)} ({refusal.say()}).",
            kept=KEPT,
            do=f"Try again after {again.astimezone():%Y-%m-%d %H:%M %Z}.",
            detail=refusal.detail,
        )


_LATER = "Try again later."
_UNKNOWN = "Whether the other side carried it out is not known."
_LOOK_FIRST = "Look there before you try again."
_LONGEST_NAMED = 366 * 86400.0
