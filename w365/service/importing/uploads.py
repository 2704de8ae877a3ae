"""Files that a page hands over: kept in the data folder for whoever reads them, and deleted after.

A file lies under a name nobody can foresee until its import is asked for, then under the number of the run, beside what
the person decided. It is there for the processes of this data folder: a worker elsewhere leaves the run to them.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from w365.config import Settings
from w365.errors import NotFound
from w365.model import Actor, Role
from w365.own_files import make_folder, opener
from w365.service import Service
from w365.service.access import needs
from w365.sheets import Reading
from w365.store.runs import is_run_active

KEPT_SECONDS = 3600.0
"""How long a file that nobody imports is kept; a page that still shows it hands it over again."""


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
    """Keep a file for the processes that read it."""
    folder = _folder(service.settings)
    make_folder(folder)
    path = folder / f"{secrets.token_hex(16)}.file"
    with open(path, "xb", opener=opener) as file:
        file.write(content)
    return Upload(name, path)


@needs(Role.ANALYST)
def forget_upload(_service: Service, actor: Actor, upload: Upload) -> None:
    upload.path.unlink(missing_ok=True)


def hand_over(settings: Settings, run_id: int, task: Task) -> None:
    """Put file and task where the run's worker finds them; call it before the run can be seen."""
    path, about = _paths(settings, run_id)
    try:
        task.upload.path.rename(path)
    except FileNotFoundError:
        raise NotFound(
            f"{task.upload.name} is not kept any more.", kept="Nothing was imported.", do="Choose it once more."
        ) from None
    upload = {"name": task.upload.name, "reading": asdict(task.upload.reading)}
    content = {**upload, "places": dict(task.places), "choice": dict(task.choice)}
    with open(about, "w", encoding="utf-8", opener=opener) as file:
        json.dump(content, file)


def is_handed_over(settings: Settings, run_id: int) -> bool:
    """Whether the file of an import lies in this data folder."""
    return _paths(settings, run_id)[1].exists()


def read_task(settings: Settings, run_id: int) -> Task:
    path, about = _paths(settings, run_id)
    content = json.loads(about.read_text(encoding="utf-8"))
    upload = Upload(content["name"], path, Reading(**content.get("reading", {})))
    return Task(upload, content["places"], content["choice"])


def forget_task(settings: Settings, run_id: int) -> None:
    for path in _paths(settings, run_id):
        path.unlink(missing_ok=True)


def forget_old_uploads(service: Service) -> None:
    """Delete what was kept for long enough, and is not of an import that waits or is under way."""
    oldest = time.time() - KEPT_SECONDS
    for path in _folder(service.settings).glob("*.*"):
        if path.stat().st_mtime < oldest and not _is_wanted(service, path.stem):
            path.unlink(missing_ok=True)


def _is_wanted(service: Service, name: str) -> bool:
    if not name.startswith(_RUN):
        return False
    with service.store.read() as connection:
        return is_run_active(connection, int(name.removeprefix(_RUN)))


_RUN = "run-"


def _folder(settings: Settings) -> Path:
    return settings.home / "uploads"


def _paths(settings: Settings, run_id: int) -> tuple[Path, Path]:
    return _folder(settings) / f"{_RUN}{run_id}.file", _folder(settings) / f"{_RUN}{run_id}.json"
