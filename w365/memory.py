"""What the C library keeps of the memory that is not used any more. Only glibc has these; elsewhere nothing is done."""

from __future__ import annotations

import ctypes
import sys

_ARENA_MAX = -8  # M_ARENA_MAX of malloc.h


def share_arenas() -> None:
    """Let all threads share two heaps: one for each would keep what was free in each."""
    _call("mallopt", _ARENA_MAX, 2)


def return_memory() -> None:
    """Give free memory back to the system: 50 of 220 MiB after a sync of 5,000 customers."""
    _call("malloc_trim", 0)


def _call(name: str, *arguments: int) -> None:
    function = getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
    if function is not None:
        function(*arguments)
