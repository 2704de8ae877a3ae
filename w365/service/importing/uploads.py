"""Files that a page hands over.

Until its import is asked for, a file lies in the data folder of the page's machine, under a name nobody can foresee;
from then on in the database, beside what the person decided, for any worker.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

from w365.errors import NotFound, StoreError
from w365.model import Actor, Role
from w365.own_files import make_folder, opener
from w365.service import Service
from w365.service.access import needs
from w365.service.shared_files import IMPORTS, KEPT, fetch_file, forget_shared_file
from w365.sheets import Reading
from w365.store.db.engine import Connection
from w365.store.shared_files import keep_file


@dataclass(frozen=True, slots=True)
class Upload:
    """A file with the name that the person gave it, and how it is read."""

    name: str
    path: Path
    reading: Reading = field(default_factory=Reading)


@dataclass(frozen=True, slots=True)
class Task:
    """What an import is to do: its file, the columns, and the rest as `runs` writes and reads it."""

    upload: Upload
    places: Mapping[str, int]
    choice: Mapping[str, Any]


@needs(Role.ANALYST)
def keep_upload(service: Service, actor: Actor, name: str, content: bytes) -> Upload:
    """Keep a file for the processes of this machine that read it."""
    return _keep(service, name, content)


@needs(Role.ANALYST)
def forget_upload(_service: Service, actor: Actor, upload: Upload) -> None:
    upload.path.unlink(missing_ok=True)


def read_upload(upload: Upload) -> bytes:
    """Give the content; NotFound when it was kept for too long, or by another machine."""
    try:
        return upload.path.read_bytes()
    except FileNotFoundError:
        raise _gone(upload.name) from None


def hand_over(service: Service, connection: Connection, run_id: int, task: Task, content: bytes) -> None:
    """Put file and task where any worker finds them, in the transaction that asks for the run."""
    upload = {"name": task.upload.name, "reading": asdict(task.upload.reading)}
    about = {**upload, "places": dict(task.places), "choice": dict(task.choice)}
    keep_file(connection, f"{IMPORTS}{run_id}", service.clock(), content, about)


@contextmanager
def taken_up(service: Service, run_id: int) -> Iterator[Task]:
    """Give the task of an import with its file, both forgotten after.

    Where the database fails the run goes on elsewhere, and they are kept for that.
    """
    about, content = fetch_file(service, f"{IMPORTS}{run_id}") or _missing()
    upload = replace(_keep(service, about["name"], content), reading=Reading(**about.get("reading", {})))
    is_over = True
    try:
        yield Task(upload, about["places"], about["choice"])
    except StoreError:
        is_over = False
        raise
    finally:
        upload.path.unlink(missing_ok=True)
        if is_over:
            forget_shared_file(service, f"{IMPORTS}{run_id}")


def forget_old_uploads(service: Service) -> None:
    """Delete what this machine kept for long enough."""
    oldest = time.time() - KEPT.total_seconds()
    for path in (service.settings.home / _FOLDER).glob("*.*"):
        if path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)


def _keep(service: Service, name: str, content: bytes) -> Upload:
    folder = service.settings.home / _FOLDER
    make_folder(folder)
    path = folder / f"{secrets.token_hex(16)}.file"
    with open(path, "xb", opener=opener) as file:
        file.write(content)
    return Upload(name, path)


def _missing() -> NoReturn:
    raise _gone("The file")


def _gone(name: str) -> NotFound:
    return NotFound(f"{name} is not kept any more.", kept="Nothing was imported.", do="Choose it once more.")


_FOLDER = "uploads"
