"""How often a token may call: so many a minute, which may come at once; then as they become free."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic


class Allowance:
    """Counted in this process; each replica has its own. 0 calls a minute is no limit."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = monotonic) -> None:
        self._per_minute, self._clock = per_minute, clock
        self._lock = threading.Lock()
        self._full_at: dict[int, float] = {}  # when each token could make all its calls at once again

    def take(self, token_id: int) -> float:
        """Count a call. Return 0, or in how many seconds it may come."""
        if not self._per_minute:
            return 0.0
        now, cost = self._clock(), 60.0 / self._per_minute
        with self._lock:
            full_at = max(self._full_at.get(token_id, now), now) + cost
            wait = full_at - now - 60.0
            if wait > 1e-6:
                return wait
            self._full_at[token_id] = full_at
        return 0.0
