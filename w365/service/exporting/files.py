"""Files: what was asked for, written whole or not at all."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import BinaryIO

from w365.errors import InputError
from w365.model import Actor, AuditKind, Role
from w365.service import Service
from w365.service.access import needs
from w365.service.exporting.parquet_files import write_parquet
from w365.service.exporting.rows import read_records
from w365.service.exporting.statistic_lines import statistic_lines
from w365.service.exporting.subjects import Format, Record, Subject
from w365.service.exporting.text_files import write_csv, write_json
from w365.service.exporting.workbooks import write_workbook
from w365.store.people.audit_log import note_event
from w365.store.reading.worklist import Filter


@dataclass(frozen=True, slots=True)
class FileRequest:
    """What to download. Several subjects make a workbook with a sheet each.

    `filter` leaves what the grid would show, None everything; `sections` chooses lines of the
    statistics, `since` where their history begins.
    """

    subjects: tuple[Subject, ...]
    form: Format
    filter: Filter | None = None
    sections: tuple[str, ...] = ()
    since: dt.datetime | None = None

    def __post_init__(self) -> None:
        if not self.subjects or (len(self.subjects) > 1 and self.form is not Format.XLSX):
            raise InputError("A file of this format holds one subject.", do="Choose Excel for everything in one file.")


@dataclass(frozen=True, slots=True)
class File:
    """A finished download."""

    name: str
    media_type: str
    content: bytes


def name_file(service: Service, request: FileRequest) -> str:
    subject = request.subjects[0] if len(request.subjects) == 1 else "everything"
    return f"w365-{subject}-{service.clock():%Y-%m-%d}.{request.form}"


@needs(Role.VIEWER)
def write_file(service: Service, actor: Actor, subject: Subject, form: Format, path: Path) -> int:
    """Write a download to a file, whole or not at all, and return the number of rows."""
    try:
        with _replaced(path) as file:
            return write_requested(service, actor, FileRequest((subject,), form), file)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error.strerror}).", kept="Nothing was changed.", do="Choose another path."
        ) from None


@contextlib.contextmanager
def _replaced(path: Path) -> Iterator[BinaryIO]:
    """Write beside the path, under a name nobody can foresee, and put it there when it is whole.

    A file that is there hands its mode on; a new one is its owner's only.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        if path.exists():
            part.chmod(stat.S_IMODE(path.stat().st_mode))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@needs(Role.VIEWER)
def write_requested(service: Service, actor: Actor, request: FileRequest, file: BinaryIO) -> int:
    """Write a download to a file that is only ever appended to; return the number of rows.

    It is noted first, so that nothing leaves without a trace; whoever may not read it gets NotAllowed before.
    """
    records = {subject: _read_requested(service, actor, request, subject) for subject in request.subjects}
    with service.store.write() as connection:
        note_event(connection, actor.name, service.clock(), AuditKind.DOWNLOAD, _describe(request))
    if request.form is Format.XLSX:
        return write_workbook(file, records.items())
    return _WRITERS[request.form](file, *next(iter(records.items())))


def _describe(request: FileRequest) -> str:
    """Say what was asked for, and by which parts of the filter it was narrowed."""
    chosen = [f"{name}: {_say(value)}" for name, value in _criteria(request) if value not in ((), "", None)]
    return f"{', '.join(request.subjects)} as {request.form}" + (f" ({'; '.join(chosen)})" if chosen else "")


def _criteria(request: FileRequest) -> list[tuple[str, object]]:
    named = fields(request.filter) if request.filter else ()
    own: list[tuple[str, object]] = [("sections", request.sections), ("since", request.since)]
    return [*own, *((field.name, getattr(request.filter, field.name)) for field in named)]


def _say(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _read_requested(service: Service, actor: Actor, request: FileRequest, subject: Subject) -> Iterator[Record]:
    if subject is Subject.STATISTICS:
        return statistic_lines(service, actor, request.sections, request.since)
    return read_records(service, actor, subject, request.filter)


_WRITERS: Mapping[Format, Callable[[BinaryIO, Subject, Iterable[Record]], int]] = {
    Format.CSV: write_csv,
    Format.PARQUET: write_parquet,
    Format.JSON: write_json,
}
