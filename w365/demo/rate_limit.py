"""How many calls a server takes in a minute."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class RateLimit:
    """Counts the calls of the last minute; ``calls_per_minute`` 0 is no limit. ``clock`` gives seconds."""

    calls_per_minute: int
    clock: Callable[[], float]
    _calls: deque[float] = field(init=False, repr=False, default_factory=deque)

    def seconds_to_wait(self) -> int:
        """Take a call and return 0; where there is no room, say after how many whole seconds there is."""
        if not self.calls_per_minute:
            return 0
        now = self.clock()
        while self._calls and self._calls[0] <= now - 60:
            self._calls.popleft()
        if len(self._calls) < self.calls_per_minute:
            self._calls.append(now)
            return 0
        return int(self._calls[0] + 60 - now) + 1
