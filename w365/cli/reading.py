"""`w365 schedule`, `stats` and `export`: what changes nothing."""

from __future__ import annotations

import datetime as dt
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from w365.cli.frame import AsJson, open_service, print_answer, print_rows
from w365.service.access import command_line_user
from w365.service.exporting import Format, Subject
from w365.service.syncing.schedules import ScheduleView, list_schedules

_NOT_TEXT = (Format.XLSX, Format.PARQUET)


def schedule(as_json: AsJson = False) -> None:
    """List the daily syncs with their next and last times."""
    with open_service() as service:
        rows = [_schedule_row(each) for each in list_schedules(service, command_line_user())]
    print_rows(as_json, "schedules", rows)


def _schedule_row(view: ScheduleView) -> dict[str, Any]:
    return {
        "source": view.name,
        "daily": f"{view.daily.at:%H:%M}" if view.daily.is_on else None,
        "zone": str(view.zone) if view.zone else "this machine's",
        "next": _iso(view.due_at),
        "last": _iso(view.last.requested_at) if view.last else None,
        "last_state": view.last.state.value if view.last else None,
        "note": view.note,
    }


def _iso(at: dt.datetime | None) -> str | None:
    return at.isoformat() if at else None


def stats(as_json: AsJson = False) -> None:
    """Print the match statistics."""
    from w365.service.exporting import read_records

    with open_service() as service:
        rows = [
            row for row in read_records(service, command_line_user(), Subject.STATISTICS) if row["section"] != "History"
        ]
    print_rows(as_json, "statistics", rows)


def export(
    subject: Subject,
    output: Annotated[Path, typer.Option(allow_dash=True, help="The file to write; - is stdout.")],
    form: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.CSV,
    as_json: AsJson = False,
) -> None:
    """Write a download to a file."""
    from w365.service.exporting import write_file

    if str(output) == "-":
        _export_to_stdout(subject, form)
        return
    with open_service() as service:
        rows = write_file(service, command_line_user(), subject, form, output)
    print_answer(as_json, {"rows": rows, "output": str(output)}, f"{rows:,} rows written to {output}.")


def _export_to_stdout(subject: Subject, form: Format) -> None:
    """Write it when it is whole, so that what fails half-way is not taken for all; the count goes to stderr."""
    from w365.service.exporting import FileRequest, write_requested

    if form in _NOT_TEXT and sys.stdout.isatty():
        raise typer.BadParameter(f"{form} is not for a terminal; name a file or a pipe.", param_hint="--output")
    with open_service() as service, tempfile.TemporaryFile() as file:
        rows = write_requested(service, command_line_user(), FileRequest((subject,), form), file)
        file.seek(0)
        shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.flush()
    print(f"{rows:,} rows written.", file=sys.stderr)
