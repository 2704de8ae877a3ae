"""Call a function in a process of its own, which gets so much memory and time and no more.

What the function does holds up no page, and what it took is given back to the system with its process.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, TypeVar

from w365.errors import InputError, W365Error

if sys.platform != "win32":
    import resource

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a call may take: bytes of address space, seconds of processor time, seconds altogether."""

    memory: int = 2 << 30
    processor: int = 300
    patience: float = 900.0


USUAL = Bounds()
"""A preview of 100,000 lines of 30 columns takes a tenth of both."""

_AT_ONCE = threading.BoundedSemaphore(2)


def call_apart(call: Callable[..., T], *arguments: object, bounds: Bounds = USUAL) -> T:
    """Call a function of a module of ours and return its answer, or raise its W365Error; both travel as pickles.

    Raises InputError when it took more than it may, RuntimeError with the other's traceback when it broke. Two calls
    are under way at a time; others wait.
    """
    request = pickle.dumps(astuple(bounds)) + pickle.dumps((call, arguments))
    with _AT_ONCE:
        status, answer, trouble = _ask(request, bounds.patience)
    if status < 0:
        raise _took_too_much(bounds)
    if status > 0:
        raise RuntimeError(trouble.decode(errors="replace"))
    returned, error = pickle.loads(answer)  # noqa: S301 - our own process wrote it, through a pipe nobody else has
    if error is not None:
        raise error
    answered: T = returned
    return answered


def _ask(request: bytes, patience: float) -> tuple[int, bytes, bytes]:
    """Give the exit status, negative for a process that was killed, what it answered and what else it said."""
    command, pipe = [sys.executable, "-m", "w365.apart"], subprocess.PIPE
    with subprocess.Popen(command, env=_environment(), stdin=pipe, stdout=pipe, stderr=pipe) as process:  # noqa: S603 - our own module
        try:
            answer, trouble = process.communicate(request, timeout=patience)
        except subprocess.TimeoutExpired:
            answer = trouble = b""
        finally:
            process.kill()
    return process.returncode, answer, trouble


def _environment() -> Mapping[str, str]:
    # This package is found by the process wherever the app was started from. Threads for sums, which nobody does there,
    # would each reserve memory.
    path = os.pathsep.join(filter(None, (str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}


def _took_too_much(bounds: Bounds) -> W365Error:
    return InputError(
        f"To look at the file takes more than {bounds.memory >> 20:,} MB of memory or {bounds.processor:,} seconds.",
        kept="Nothing was imported.",
        do="Save it as several files, or import it on the command line.",
    )


def main() -> None:
    """Answer the one request that stdin has."""
    with os.fdopen(os.dup(1), "wb") as told:
        os.dup2(2, 1)  # what else is printed is no answer
        bounds = Bounds(*pickle.load(sys.stdin.buffer))  # noqa: S301 - the process that started this one wrote it
        _bind(bounds)
        pickle.dump(_call(bounds), told)


def _bind(bounds: Bounds) -> None:
    if sys.platform != "win32":
        resource.setrlimit(resource.RLIMIT_CPU, (bounds.processor, bounds.processor))
        resource.setrlimit(resource.RLIMIT_AS, (bounds.memory, bounds.memory))


def _call(bounds: Bounds) -> tuple[Any, W365Error | None]:
    call, arguments = pickle.load(sys.stdin.buffer)  # noqa: S301 - likewise
    try:
        return call(*arguments), None
    except W365Error as error:
        return None, error
    except MemoryError:
        return None, _took_too_much(bounds)


if __name__ == "__main__":
    main()
