"""Waiting that a person can interrupt and a page can explain. Clock, sleep and chance are values given from outside."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

_LONGEST_NAP = 0.5
"""Seconds between two looks at whether the run was stopped."""

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
    """Why requests to a host stand still, for people, and until when on the monotonic clock."""

    why: str
    until: float
