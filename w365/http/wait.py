"""Waiting that a person can interrupt and a page can explain. Clock, sleep and chance are values given from outside."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from w365.http.retry import say_duration

_LONGEST_NAP = 0.5
"""Seconds between two looks at whether the run was stopped."""

_WORTH_COUNTING = 3.0
"""Seconds below which a countdown would only flicker: the waits for the pace of a service are that short."""

Check = Callable[[], None]
"""Raises Cancelled when the work at hand shall stop."""


def never_stop() -> None:
    """Let the work go on."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Where time, sleep and chance come from."""

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random

    def wait_until(self, moment: float, check: Check = never_stop) -> None:
        """Return at ``moment`` of the monotonic clock; ``check`` is called before and at least every half second."""
        check()
        while (left := moment - self.monotonic()) > 0:
            self.sleep(min(left, _LONGEST_NAP))
            check()


REAL_CLOCK = Clock()


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why requests to a host stand still, for people, and until when on the monotonic clock.

    ``seconds`` is how long that still takes at the moment of asking.
    """

    why: str
    until: float
    seconds: float = 0.0

    def say(self) -> str:
        """Return the reason, with what is left of a wait that is worth counting."""
        left = f"Waiting {say_duration(self.seconds)}: " if self.seconds >= _WORTH_COUNTING else ""
        return left + self.why
