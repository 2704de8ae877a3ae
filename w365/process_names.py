"""Names for processes, by which another process of the same machine can tell that one is gone."""

from __future__ import annotations

import functools
import os
import platform
from pathlib import Path


def name_process(pid: int | None = None) -> str:
    """Name a process of this machine, this one unless told: machine, number and start. Empty where that is not known.

    The machine is its name, its start and its space of process numbers: containers may share the first two.
    """
    pid = os.getpid() if pid is None else pid
    machine, started = _name_machine(), _read_start(pid)
    return f"{machine} {pid} {started}" if machine and started else ""


def is_alive(name: str) -> bool | None:
    """Whether a process still runs; None where nobody can tell, as from another machine."""
    machine, _, process = name.partition(" ")
    if not machine or machine != _name_machine():
        return None
    pid, started = process.split(" ")
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's, whose start may be hidden
        pass
    start = _read_start(int(pid))
    return None if start is None else start == started


@functools.cache
def _name_machine() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{platform.node()}/{boot}/{Path('/proc/self/ns/pid').readlink()}".replace(" ", "_")
    except OSError:  # no Linux
        return ""


def _read_start(pid: int) -> str | None:
    """When a process started, in ticks since the machine's start; empty for one that ended and is not yet cleared away.

    None where it cannot be read: the processes of others may be hidden. See proc(5), `/proc/pid/stat`.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return "" if fields[0] in "ZX" else fields[19]
