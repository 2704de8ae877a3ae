"""`w365 import …`: the rows of a manual provider, and the mappings that exist already."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from w365.cli.frame import AsJson, open_service, print_answer, say_counts
from w365.errors import AlreadyRunning, InputError
from w365.service import Service
from w365.service.access import command_line_user
from w365.service.importing.report import LineError
from w365.sheets import Field, Places, Sheet, guess_columns, open_sheet
from w365.sheets.columns import name_columns
from w365.store.run_counts import as_words
from w365.store.runs import RunView

File = Annotated[Path, typer.Argument(metavar="FILE", help="A CSV file or an Excel workbook.")]
MappingsFile = Annotated[Path | None, typer.Argument(metavar="[FILE]", help="A CSV file or an Excel workbook.")]
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
    as_json: AsJson = False,
) -> None:
    """Import the rows of a manual provider."""
    from w365.service.importing import accounts
    from w365.service.syncing.manual_rows import FIELDS
    from w365.service.syncing.providers import find_provider

    sheet, places = _read(file, FIELDS, column or ())
    with (context.obj or open_service)() as service:
        actor = command_line_user()
        provider_id = find_provider(service, actor, provider).id
        preview = accounts.preview_accounts(service, actor, provider_id, sheet, places)
        answer = {"lines": preview.lines, **as_words(preview.counts), "missing": preview.missing}
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
    as_json: AsJson = False,
) -> None:
    """Import mappings that exist already, such as `export mappings` writes."""
    if (file is None) != from_crm:
        raise typer.BadParameter("Name a FILE or say --from-crm.", param_hint="FILE")
    from w365.service.importing import mappings
    from w365.service.importing.mapping_plan import FIELDS, USUALLY, Verdict

    take = USUALLY | {Verdict(_ALSO[word]) for word in also or ()}
    choice = mappings.MappingChoice(provider, take, leave_out_errors)
    of_file = _read(file, FIELDS, column or ()) if file else None
    with (context.obj or open_service)(connect=from_crm) as service:
        actor = command_line_user()
        sheet, places = of_file or _read_crm(service, FIELDS)
        preview = mappings.preview_mappings(service, actor, sheet, places, choice)
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


def _read(file: Path, fields: Sequence[Field], columns: Sequence[str]) -> tuple[Sheet, Places]:
    try:
        sheet = open_sheet(file.name, file)
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}).", kept="Nothing was imported.") from None
    places = guess_columns(sheet.headings, fields)
    for column in columns:
        field, _, heading = column.partition("=")
        if field not in [known.name for known in fields]:
            names = ", ".join(known.name for known in fields)
            raise typer.BadParameter(f"“{field}” is no field; fields: {names}.", param_hint="--column")
        names_of = name_columns(sheet.headings)
        if heading not in (*names_of, *sheet.headings):
            raise typer.BadParameter(f"{file.name} has no column “{heading}”.", param_hint="--column")
        taken = names_of.index(heading) if heading in names_of else sheet.headings.index(heading)
        places = {name: place for name, place in places.items() if place != taken} | {field: taken}
    return sheet, places


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
