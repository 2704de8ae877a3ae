"""`w365 import …`: the rows of a manual provider, and the mappings that exist already."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from w365.cli.frame import AsJson, open_service, print_answer, say_counts
from w365.errors import AlreadyRunning, InputError
from w365.service import Service
from w365.service.access import command_line_user
from w365.service.importing.report import LineError
from w365.sheets import Field, Places, Reading, Sheet, guess_columns, open_sheet
from w365.sheets.columns import name_columns
from w365.sheets.encodings import ENCODINGS
from w365.store.run_counts import as_words
from w365.store.runs import RunView

File = Annotated[Path, typer.Argument(metavar="FILE", help="A CSV, Excel, OpenDocument, JSON or Parquet file.")]
MappingsFile = Annotated[
    Path | None, typer.Argument(metavar="[FILE]", help="A CSV, Excel, OpenDocument, JSON or Parquet file.")
]
FromCrm = Annotated[
    bool, typer.Option("--from-crm", help="Read the Dataverse table that the configuration names, not a file.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be imported; import nothing.")]
LeaveOut = Annotated[
    bool, typer.Option("--leave-out-errors", help="Leave out the lines with errors; without it they stop everything.")
]
Columns = Annotated[
    list[str] | None,
    typer.Option("--column", metavar="FIELD=HEADING", help="Say which column is what, where the heading does not."),
]
SheetOption = Annotated[
    str,
    typer.Option("--sheet", metavar="NAME", help="The sheet of a workbook; else the first whose headings are known."),
]
HeadingLine = Annotated[
    int, typer.Option("--heading-line", metavar="N", min=0, help="The line of the headings; else it is found.")
]
Encoding = Annotated[
    str, typer.Option("--encoding", metavar="NAME", help="How a text file is written, such as utf-8 or windows-1252.")
]
Delimiter = Annotated[
    str, typer.Option("--delimiter", metavar="MARK", help="What stands between the cells of a text file, or: tab.")
]
LeaveHidden = Annotated[
    bool, typer.Option("--leave-out-hidden", help="Leave out the lines that are hidden in the workbook.")
]
_ALSO = {"different": "different", "rejected": "rejected_pair", "set-aside": "set_aside"}


def _check_also(chosen: list[str] | None) -> list[str] | None:
    if wrong := next((word for word in chosen or () if word not in _ALSO), None):
        raise typer.BadParameter(f"“{wrong}” is none of {', '.join(_ALSO)}.")
    return chosen


Also = Annotated[
    list[str] | None,
    typer.Option(
        "--also",
        help="Map these too, which are left otherwise: different (mapped to another account now), rejected, set-aside.",
        callback=_check_also,
    ),
]
_MOST_ERRORS = 20
_REFUSED = "Nothing was imported. Correct the lines, or leave them out with --leave-out-errors."


import_commands = typer.Typer(help="Import provider accounts or mappings from a file.", no_args_is_help=True)
"""The commands act on the service that their context's `obj` opens, if there is one."""


@import_commands.command("accounts")
def import_accounts(  # noqa: PLR0913, PLR0917 - an argument an option
    context: typer.Context,
    file: File,
    provider: Annotated[str, typer.Option(help="The manual provider.")],
    dry_run: DryRun = False,
    full_list: Annotated[bool, typer.Option("--full-list", help="Mark what the file does not have as gone.")] = False,
    many_gone: Annotated[bool, typer.Option("--many-gone", help="Even if that is very much.")] = False,
    leave_out_errors: LeaveOut = False,
    column: Columns = None,
    sheet_name: SheetOption = "",
    heading_line: HeadingLine = 0,
    encoding: Encoding = "",
    delimiter: Delimiter = "",
    leave_out_hidden: LeaveHidden = False,
    as_json: AsJson = False,
) -> None:
    """Import the rows of a manual provider."""
    from w365.service.importing import accounts
    from w365.service.importing.choices import find_accounts_target
    from w365.service.syncing.manual_rows import FIELDS
    from w365.service.syncing.providers import find_provider

    reading = replace(_as_reading(sheet_name, heading_line, encoding, delimiter), leaves_hidden=leave_out_hidden)
    asked = _Asked(file, FIELDS, tuple(column or ()), reading)
    asked.open()
    with (context.obj or open_service)() as service:
        actor = command_line_user()
        provider_id = find_provider(service, actor, provider).id
        sheet, places = asked.read(service, find_accounts_target(provider_id))
        preview = accounts.preview_accounts(service, actor, provider_id, sheet, places)
        answer = {"lines": preview.lines, **as_words(preview.counts), "missing": preview.missing}
        _tell_hidden(preview.hidden)
        choice = accounts.AccountsChoice(leave_out_errors, full_list, many_gone)
        carry_out = partial(accounts.import_accounts, service, actor, provider_id, sheet, places, choice)
        course = _Course(dry_run, leave_out_errors, as_json)
        course.follow(service, answer, as_words(preview.counts), preview.errors, carry_out)


@import_commands.command("mappings")
def import_mappings(  # noqa: PLR0913, PLR0917 - an argument an option
    context: typer.Context,
    file: MappingsFile = None,
    from_crm: FromCrm = False,
    provider: Annotated[str, typer.Option(help="The provider of lines that name none.")] = "",
    dry_run: DryRun = False,
    also: Also = None,
    leave_out_errors: LeaveOut = False,
    column: Columns = None,
    sheet_name: SheetOption = "",
    heading_line: HeadingLine = 0,
    encoding: Encoding = "",
    delimiter: Delimiter = "",
    leave_out_hidden: LeaveHidden = False,
    as_json: AsJson = False,
) -> None:
    """Import mappings that exist already, such as `export mappings` writes."""
    if (file is None) != from_crm:
        raise typer.BadParameter("Name a FILE or say --from-crm.", param_hint="FILE")
    from w365.service.importing import mappings
    from w365.service.importing.choices import MAPPINGS
    from w365.service.importing.mapping_plan import FIELDS, USUALLY, Verdict

    take = USUALLY | {Verdict(_ALSO[word]) for word in also or ()}
    choice = mappings.MappingChoice(provider, take, leave_out_errors)
    reading = replace(_as_reading(sheet_name, heading_line, encoding, delimiter), leaves_hidden=leave_out_hidden)
    asked = _Asked(file, FIELDS, tuple(column or ()), reading) if file else None
    if asked:
        asked.open()
    with (context.obj or open_service)(connect=from_crm) as service:
        actor = command_line_user()
        sheet, places = asked.read(service, MAPPINGS) if asked else _read_crm(service, FIELDS)
        preview = mappings.preview_mappings(service, actor, sheet, places, choice)
        _tell_hidden(preview.hidden)
        verdicts = {verdict.value: preview.counts[verdict] for verdict in Verdict}
        shown = [_planned(line) for line in preview.shown if line.verdict not in {Verdict.MAP, Verdict.SAME}]
        answer = {"lines": preview.lines, "mapped": preview.mapped, **verdicts, "shown": shown}
        left = {word: count for word, count in verdicts.items() if word not in {*take, Verdict.MAP}}
        carry_out = partial(mappings.import_mappings, service, actor, sheet, places, choice)
        course = _Course(dry_run, leave_out_errors, as_json)
        course.follow(service, answer, {"mapped": preview.mapped, **left}, preview.errors, carry_out)


@dataclass(frozen=True, slots=True)
class _Course:
    """How far an import goes, and how it is told of."""

    dry_run: bool
    leave_out_errors: bool
    as_json: bool

    def follow(
        self,
        service: Service,
        answer: dict[str, Any],
        counts: Mapping[str, int],
        errors: Sequence[LineError],
        carry_out: Callable[[], RunView],
    ) -> None:
        """Import if nothing is against it, and print how it went.

        Lines with errors that were not to be left out make the exit status 1.
        """
        is_refused = bool(errors) and not self.leave_out_errors
        answer |= {"errors": [asdict(error) for error in errors], "imported": False}
        _print_errors(errors)
        outcome = "Without the errors" if is_refused else "Would be imported"
        if not self.dry_run and not is_refused:
            run = carry_out()
            match_after(service)
            outcome, counts = "Imported", as_words(run.result)
            answer |= {"imported": True, "run": run.id, **({"mapped": 0} if "mapped" in answer else {}), **counts}
        print_answer(self.as_json, answer, f"{outcome}: {say_counts(counts) or 'nothing to import'}.")
        if is_refused:
            print(_REFUSED, file=sys.stderr)
            raise typer.Exit(1)


def _tell_hidden(lines: int) -> None:
    if lines:
        print(f"{lines:,} lines are hidden in the workbook; --leave-out-hidden leaves them out.", file=sys.stderr)


def _planned(line: Any) -> dict[str, Any]:
    return {
        "line": line.line,
        "what": line.verdict.value,
        "provider": line.provider,
        "provider_specific_account_id": line.specific_id,
        "account": line.account,
        "against": line.other,
    }


def match_after(service: Service) -> RunView | None:
    """Match what an import changed, as after a sync."""
    from w365.jobs import execute_run
    from w365.service.syncing.runs import request_match

    try:
        return execute_run(service, request_match(service, command_line_user()))
    except AlreadyRunning:
        return None  # the match that runs takes what was imported, or the one that follows it


def _as_reading(sheet: str, heading_line: int, encoding: str, delimiter: str) -> Reading:
    """Say how a file is to be read, by the names that people use."""
    by_label = {label.casefold(): name for name, label in ENCODINGS.items()} | {"utf-8": "utf-8-sig"}
    folded = encoding.casefold()
    marks = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";"}
    known = by_label.get(folded, folded)
    if known and known not in ENCODINGS:
        names = ", ".join(ENCODINGS.values())
        raise typer.BadParameter(f"“{encoding}” is none of: {names}.", param_hint="--encoding")
    return Reading(sheet, heading_line, known, marks.get(delimiter.casefold(), delimiter))


@dataclass(frozen=True, slots=True)
class _Asked:
    """A file, and what was said of it."""

    file: Path
    fields: Sequence[Field]
    columns: Sequence[str]
    reading: Reading

    def open(self, likely: Reading | None = None) -> Sheet:
        """Look into the file; what is no table is refused before anything is started."""
        try:
            return open_sheet(self.file.name, self.file, self.fields, self.reading, likely)
        except OSError as error:
            raise InputError(f"{self.file} cannot be read ({error.strerror}).", kept="Nothing was imported.") from None

    def read(self, service: Service, target: str) -> tuple[Sheet, Places]:
        """Open it as the last one of the target was, and say how; give the columns by field."""
        from w365.service.importing.choices import choose_columns, read_remembered

        remembered = read_remembered(service, command_line_user(), target)
        sheet = self.open(remembered.reading)
        print(
            f"{sheet.name}: {sheet.table.about}, headings in line {sheet.table.reading.heading_line:,}", file=sys.stderr
        )
        for note in sheet.table.notes:
            print(note, file=sys.stderr)
        return sheet, self._name_columns(sheet, choose_columns(sheet.headings, self.fields, remembered))

    def _name_columns(self, sheet: Sheet, places: Places) -> Places:
        for column in self.columns:
            field, _, heading = column.partition("=")
            if field not in [known.name for known in self.fields]:
                names = ", ".join(known.name for known in self.fields)
                raise typer.BadParameter(f"“{field}” is no field; fields: {names}.", param_hint="--column")
            taken = _find_column(sheet, heading)
            places = {name: place for name, place in places.items() if place != taken} | {field: taken}
        return places


def _find_column(sheet: Sheet, heading: str) -> int:
    names = name_columns(sheet.headings)
    if heading not in (*names, *sheet.headings):
        raise typer.BadParameter(f"{sheet.name} has no column “{heading}”.", param_hint="--column")
    return names.index(heading) if heading in names else sheet.headings.index(heading)


def _read_crm(service: Service, fields: Sequence[Field]) -> tuple[Sheet, Places]:
    from w365.service.writeback.compare import read_sheet

    sheet = read_sheet(service, command_line_user())
    return sheet, guess_columns(sheet.headings, fields)


def _print_errors(errors: Sequence[LineError]) -> None:
    for error in errors[:_MOST_ERRORS]:
        parts = [f"line {error.line}", error.column, f"“{error.value}”" if error.value else ""]
        print(f"{', '.join(filter(None, parts))}: {error.why}", file=sys.stderr)
    if len(errors) > _MOST_ERRORS:
        print(f"… and {len(errors) - _MOST_ERRORS:,} more; --json has them all", file=sys.stderr)
