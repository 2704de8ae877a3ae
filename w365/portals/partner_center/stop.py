"""Stopping a pool of threads from the one thread that knows whether to."""

from __future__ import annotations

import threading

from w365.errors import Cancelled
from w365.http.wait import Check


class StopSignal:
    """A check for clients that several threads use.

    The given ``check`` may touch a database session, so only the thread that owns the work calls it; the other
    threads see its outcome.
    """

    def __init__(self, check: Check) -> None:
        self._check = check
        self._owner = threading.get_ident()
        self._stopped = threading.Event()

    def own(self) -> None:
        """Make the calling thread the one that asks ``check``, and begin anew."""
        self._owner = threading.get_ident()
        self._stopped.clear()

    def stop(self) -> None:
        """Make every other thread stop at its next look."""
        self._stopped.set()

    def __call__(self) -> None:
        if threading.get_ident() == self._owner:
            self._check()
        elif self._stopped.is_set():
            raise Cancelled("The run was stopped.")
