"""Files and folders that are their owner's only: made so from the start, and made so where they stood before.

Whoever writes a file opens it with `opener` and makes its folder with `make_folder`. The umask has no say in it, and
nothing is wide for a moment first.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

_FOR_OTHERS = 0o077
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_OURS = ("w365*", "secret.key", "own-data", "demo", "demo-*", "uploads")
"""What this program puts into its data folder; in a folder that has other uses too, nothing else is touched."""

_KEPT = "It is used as it is."
_NETWORK = (
    "nfs",
    "cifs",
    "smb",
    "9p",
    "afs",
    "ceph",
    "glusterfs",
    "fuse.sshfs",
    "fuse.glusterfs",
    "fuse.s3fs",
    "lustre",
)

Chmod = Callable[[Path, int], None]


def make_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, all for their owner only; one that is there stays."""
    for each in (*reversed(folder.parents), folder):
        if not each.is_dir():
            each.mkdir(mode=0o700, exist_ok=True)


def opener(path: str, flags: int) -> int:
    """Open a file for `open(…, opener=…)`: its owner's only, new or not. A link in its place is not followed."""
    descriptor = os.open(path, flags | _NO_LINK, 0o600)
    mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
    if mode & _FOR_OTHERS and hasattr(os, "fchmod"):
        with suppress(OSError):  # somebody else's: `narrow` says so
            os.fchmod(descriptor, mode & ~_FOR_OTHERS)
    return descriptor


def narrow(folder: Path, chmod: Chmod = os.chmod) -> list[str]:
    """Take the folder, and what is in it, from everybody but its owner.

    Returns a sentence for whatever that is impossible for. Links are left, and nothing behind them is touched.
    """
    if not folder.is_dir():
        return []
    folder = folder.resolve()
    if os.name != "posix":
        return [
            _say(folder, "this system knows no modes of files that could be set", "Keep it where only you may look")
        ]
    home = Path("~").expanduser()
    if folder.stat().st_mode & stat.S_ISVTX or folder in home.parents:
        do = "Set W365_HOME to a folder of its own"
        return [_say(folder, "it is a folder for many uses", do), *narrow_files(_find_ours(folder), chmod)]
    within = _find_ours(folder) if folder == home else _walk(folder)
    return [*narrow_files([folder], chmod), *narrow_files(within, chmod)]


def narrow_files(paths: Iterable[Path], chmod: Chmod = os.chmod) -> list[str]:
    """Take these from everybody but their owner; return a sentence for each reason why some stay open."""
    reasons: dict[tuple[str, str], list[Path]] = {}
    for path in paths:
        if reason := _narrow(path, chmod):
            reasons.setdefault(reason, []).append(path)
    return [_say(some[0], *reason, more=len(some) - 1) for reason, some in reasons.items()]


def find_network_system(path: Path, mounts: Path = Path("/proc/self/mounts")) -> str:
    """Name the network file system that a path lies on; empty where it lies on none, or the system does not tell.

    Linux lists what is mounted where, a line each: device, place, kind.
    """
    if str(path).startswith("\\\\"):
        return "a Windows share"
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    kinds = {Path(place.replace("\\040", " ")): kind for _, place, kind, *_ in (line.split(" ") for line in lines)}
    above = [kinds[folder] for folder in path.resolve().parents if folder in kinds]
    return above[0] if above and above[0].startswith(_NETWORK) else ""


def _find_ours(folder: Path) -> Iterator[Path]:
    for path in (path for pattern in _OURS for path in folder.glob(pattern)):
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path)


def _walk(folder: Path) -> Iterator[Path]:
    """Everything below the folder; it is narrow already, so that nobody else can change what it holds."""
    for parent, folders, files in os.walk(folder):
        yield from (Path(parent, name) for name in (*folders, *files))


def _narrow(path: Path, chmod: Chmod) -> tuple[str, str] | None:
    """Return why it stays open, and what to do; None for what is the owner's only, or gone."""
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            return _look_behind(path)
        if mode & _FOR_OTHERS:
            chmod(path, stat.S_IMODE(mode) & ~_FOR_OTHERS)
            if path.lstat().st_mode & _FOR_OTHERS:
                return "its file system keeps no modes", "Set W365_HOME to a folder on this machine's own disk"
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"its mode cannot be changed ({error.strerror})", "Give it to the user who runs this, or set W365_HOME"
    return None


def _look_behind(link: Path) -> tuple[str, str] | None:
    if link.resolve().is_relative_to(link.parent.resolve()):
        return None
    return "it is a link that leads out of the folder and is not followed", "Put the file itself there"


def _say(path: Path, why: str, do: str, *, more: int = 0) -> str:
    also = f" and {more:,} more" if more else ""
    return f"Others on this machine may be able to read {path}{also}: {why}. {_KEPT} {do}."
