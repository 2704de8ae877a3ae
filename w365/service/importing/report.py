"""What every import has: lines that cannot be used, a run that is whole or nothing, and its error report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from w365.errors import Cancelled, InputError, W365Error
from w365.model import Actor, Role, RunKind, RunState
from w365.service import Service
from w365.service.access import needs
from w365.service.exporting.text_files import csv_bytes
from w365.sheets import Field, Places, Sheet
from w365.sheets.columns import name_columns
from w365.source_records import Rejected
from w365.store.db.engine import Connection
from w365.store.run_counts import Counts
from w365.store.runs import RunView, add_problems, claim_run, end_run, get_run, request_run

Tell = Callable[[int], None]
"""Hears how many lines are done."""

Work = Callable[[Connection, int], Counts]
"""What an import does in its transaction, for the run of this number."""

Plan = Callable[[], Work]
"""Reads the file to its end, while nobody waits for it, and gives what is then done."""


@dataclass(frozen=True, slots=True)
class LineError:
    """What is wrong in a line; `column` is the heading (empty: the line as a whole), `value` what stands there."""

    line: int
    column: str
    value: str
    why: str


def count_lines(errors: Sequence[LineError]) -> int:
    """Count the lines that cannot be used; a line may have several errors."""
    return len({error.line for error in errors})


@needs(Role.ANALYST)
def run_import(
    service: Service,
    actor: Actor,
    kind: RunKind,
    target: str,
    plan: Plan,
) -> RunView:
    """Do an import as a run, in one transaction that also ends the run: all of it is there, or nothing.

    What goes wrong ends the run as failed, with its sentence, and is raised.
    """
    with service.store.write() as connection:
        run_id = request_run(connection, kind, target, actor.name, service.clock())
        run = claim_run(connection, run_id, service.clock())
    assert run is not None  # noqa: S101 - nobody else has seen it
    error = "The import was broken off. Nothing was imported."
    try:
        write_whole(service, run, plan())
        error = ""
    except W365Error as raised:
        error = str(raised)
        raise
    finally:
        if error:
            with service.store.write() as connection:
                end_run(connection, run_id, RunState.FAILED, service.clock(), error=error)
    with service.store.read() as connection:
        return get_run(connection, run_id)


def write_whole(service: Service, run: RunView, work: Work) -> Counts:
    """Do what an import does in one transaction that also ends its run; Cancelled where another process has that."""
    with service.store.write() as connection:
        counts = work(connection, run.id)
        done, at = counts.total(), service.clock()
        if not end_run(connection, run.id, RunState.DONE, at, tries=run.tries, result=counts, done=done):
            raise Cancelled("The run had been given up as dead.", kept="Nothing was imported.")
    return counts


def keep_errors(connection: Connection, run_id: int, errors: Sequence[LineError]) -> None:
    """Keep with the run what it left out."""
    add_problems(connection, run_id, [Rejected(_place_of(error), _say(error)) for error in errors])


def refuse_errors(errors: Sequence[LineError]) -> None:
    """Raise InputError naming the first lines that cannot be used, where there are any."""
    if not errors:
        return
    lines = count_lines(errors)
    shown = "; ".join(f"line {error.line:,}: {_say(error)}" for error in errors[:3])
    raise InputError(
        f"{lines:,} {'line cannot' if lines == 1 else 'lines cannot'} be used ({shown}{'; …' if lines > 3 else ''}).",
        kept="Nothing was imported.",
        do="Correct them, or choose to leave them out.",
    )


def check_places(sheet: Sheet, fields: Sequence[Field], places: Places) -> None:
    """Raise InputError when a needed field has no column, or two fields have the same."""
    missing = [field.label for field in fields if field.is_needed and field.name not in places]
    if missing:
        raise InputError(
            f"No column of {sheet.name} is named as: {', '.join(missing)}.",
            kept="Nothing was imported.",
            do=f"Choose the column; the file has: {', '.join(name_columns(sheet.headings))}.",
        )
    if len(set(places.values())) < len(places):
        raise InputError(
            "One column cannot be two things.", kept="Nothing was imported.", do="Choose another column for one."
        )


def errors_file(errors: Sequence[LineError]) -> bytes:
    """The error report as CSV."""
    rows = ((error.line, error.column, error.value, error.why) for error in errors)
    return csv_bytes(("line", "column", "value", "what is wrong"), rows)


def _place_of(error: LineError) -> str:
    return f"line {error.line}, {error.column}" if error.column else f"line {error.line}"


def _say(error: LineError) -> str:
    return f"“{error.value}”: {error.why}" if error.value else error.why
