"""Whose turn it is to write a SQLite file: whoever waits for it is seen, also from another process.

A sync writes page after page with next to nothing between two transactions, and SQLite hands its lock to nobody: who
looks for it now and then may miss every gap. So the waiting hold a shared lock on the folder of the file, and who has
just written steps back while one does. The lock ends with its process; where nobody waits it costs microseconds.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform != "win32":
    import fcntl

_GAP_SECONDS = 0.012
"""The longest step back: three times the pause between two looks of who waits."""

_LOOK_SECONDS = 0.001
_LONG_SECONDS = 0.05
_TRIES = 5


class Turns:
    """Those who write the file at ``path``; without a path nobody else can."""

    def __init__(self, path: str | None) -> None:
        self._folder = Path(path).parent if path else None

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Be seen as one who waits, in the body."""
        held = _join(self._folder) if self._folder else None
        try:
            yield
        finally:
            if held is not None:
                os.close(held)

    def give(self, taken: float) -> None:
        """After a transaction of ``taken`` seconds step back for as long as somebody waits, at most a moment."""
        if self._folder is None:
            return
        until = time.monotonic() + _GAP_SECONDS
        while self._is_awaited(taken) and time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)

    def _is_awaited(self, taken: float) -> bool:
        """Where it cannot be told, as on Windows and some network folders, take it so after a long transaction."""
        assert self._folder is not None  # noqa: S101 - for the type checker
        try:
            held = _lock(self._folder, shared=False)
        except BlockingIOError:
            return True
        if held is None:
            return taken > _LONG_SECONDS
        os.close(held)
        return False


def _join(folder: Path) -> int | None:
    """Lock with the others who wait; who looks for them holds the lock for an instant only."""
    for _ in range(_TRIES):
        try:
            return _lock(folder, shared=True)
        except BlockingIOError:
            time.sleep(_LOOK_SECONDS / 10)
    return None


def _lock(folder: Path, *, shared: bool) -> int | None:
    """Lock the folder at once and return what to close; None where that is not possible here.

    Raises BlockingIOError where another holds it.
    """
    if sys.platform == "win32":
        return None
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            raise
        return None
    return descriptor
