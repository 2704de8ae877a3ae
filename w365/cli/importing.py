"""`python -m w365 import …`: the rows of a manual provider, and the mappings that exist already."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Any

import typer

from w365.errors import AlreadyRunning, InputError
from w365.service import Service
from w365.service.access import local_user
from w365.service.importing.report import LineError
from w365.sheets import Field, Places, Sheet, guess_columns, open_sheet
from w365.sheets.columns import name_columns
from w365.store.run_counts import as_words
from w365.store.runs import RunView

Open = Callable[..., AbstractContextManager[Service]]
Say = Callable[[bool, dict[str, Any], str], None]

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
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
    if wrong := next((one for one in chosen or () if one not in _ALSO), None):
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


def import_commands(opened: Open, say: Say) -> typer.Typer:
    """The commands, on a service that `opened` opens; `say` prints as the other commands do."""
    commands = typer.Typer(help="Import provider accounts or mappings from a file.", no_args_is_help=True)
    commands.command("accounts")(_accounts_command(opened, say))
    commands.command("mappings")(_mappings_command(opened, say))
    return commands


def _accounts_command(opened: Open, say: Say) -> Callable[..., None]:
    def import_accounts(  # noqa: PLR0913, PLR0917 - an argument an option
        file: File,
        provider: Annotated[str, typer.Option(help="The manual provider.")],
        dry_run: DryRun = False,
        full_list: Annotated[
            bool, typer.Option("--full-list", help="Mark what the file does not have as gone.")
        ] = False,
        many_gone: Annotated[bool, typer.Option("--many-gone", help="Even if that is very much.")] = False,
        leave_out_errors: LeaveOut = False,
        column: Columns = None,
        as_json: AsJson = False,
    ) -> None:
        """Import the rows of a manual provider."""
        from w365.service.importing import accounts
        from w365.service.syncing.manual_rows import FIELDS
        from w365.service.syncing.providers import find_provider

        with opened() as service:
            actor = local_user()
            provider_id = find_provider(service, actor, provider).id
            sheet, places = _read(file, FIELDS, column or ())
            preview = accounts.preview_accounts(service, actor, provider_id, sheet, places)
            told = _say_counts(preview.counts)
            answer: dict[str, Any] = {"lines": preview.lines, **as_words(preview.counts), "missing": preview.missing}
            answer |= {"errors": _errors(preview.errors), "imported": False}
            _tell_errors(preview.errors)
            if not dry_run and (leave_out_errors or not preview.errors):
                choice = accounts.AccountsChoice(leave_out_errors, full_list, many_gone)
                run = accounts.import_accounts(service, actor, provider_id, sheet, places, choice)
                match_after(service)
                answer |= {"imported": True, "run": run.id, **as_words(run.result)}
                told = _say_counts(run.result)
        _end(say, answer, told, as_json=as_json, is_refused=bool(preview.errors) and not leave_out_errors)

    return import_accounts


def _mappings_command(opened: Open, say: Say) -> Callable[..., None]:
    def import_mappings(  # noqa: PLR0913, PLR0917 - an argument an option
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

        take = USUALLY | {Verdict(_ALSO[one]) for one in also or ()}
        choice = mappings.MappingChoice(provider, take, leave_out_errors)
        with opened(connect=True) if from_crm else opened() as service:
            actor = local_user()
            sheet, places = _read(file, FIELDS, column or ()) if file else _read_crm(service, FIELDS)
            preview = mappings.preview_mappings(service, actor, sheet, places, choice)
            answer: dict[str, Any] = {"lines": preview.lines, "mapped": preview.mapped}
            answer |= {one.value: preview.counts[one] for one in Verdict}
            answer |= {"shown": [_planned(one) for one in preview.shown if one.verdict not in _PLAIN]}
            answer |= {"errors": _errors(preview.errors), "imported": False}
            told = _say_counts({"mapped": preview.mapped} | {one.value: preview.counts[one] for one in _left(take)})
            _tell_errors(preview.errors)
            if not dry_run and (leave_out_errors or not preview.errors):
                run = mappings.import_mappings(service, actor, sheet, places, choice)
                match_after(service)
                answer |= {"imported": True, "run": run.id, "mapped": 0, **as_words(run.result)}
                told = _say_counts(run.result)
        _end(say, answer, told, as_json=as_json, is_refused=bool(preview.errors) and not leave_out_errors)

    return import_mappings


_PLAIN = ("map", "same")


def _left(take: frozenset[Any]) -> list[Any]:
    from w365.service.importing.mapping_plan import Verdict

    return [one for one in Verdict if one not in take and one is not Verdict.MAP]


def _planned(one: Any) -> dict[str, Any]:
    return {
        "line": one.line,
        "what": one.verdict.value,
        "provider": one.provider,
        "provider_specific_account_id": one.specific_id,
        "account": one.account,
        "against": one.other,
    }


def match_after(service: Service) -> RunView | None:
    """Match what an import changed, as after a sync."""
    from w365.jobs import execute
    from w365.service.syncing.runs import request_match

    try:
        return execute(service, request_match(service, local_user()))
    except AlreadyRunning:
        return None  # the match that runs takes what was imported, or the one that follows it


def _read(file: Path, fields: Sequence[Field], columns: Sequence[str]) -> tuple[Sheet, Places]:
    try:
        sheet = open_sheet(file.name, file)
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}).", kept="Nothing was imported.") from None
    places = guess_columns(sheet.headings, fields)
    for one in columns:
        field, _, heading = one.partition("=")
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

    sheet = read_sheet(service, local_user())
    return sheet, guess_columns(sheet.headings, fields)


def _say_counts(counts: Any) -> str:
    told = ", ".join(f"{count:,} {word.replace('_', ' ')}" for word, count in counts.items() if count)
    return told or "nothing to import"


def _errors(errors: Sequence[LineError]) -> list[dict[str, Any]]:
    return [{"line": one.line, "column": one.column, "value": one.value, "why": one.why} for one in errors]


def _tell_errors(errors: Sequence[LineError]) -> None:
    for one in errors[:_MOST_ERRORS]:
        parts = [f"line {one.line}", one.column, f"“{one.value}”" if one.value else ""]
        print(f"{', '.join(part for part in parts if part)}: {one.why}", file=sys.stderr)
    if len(errors) > _MOST_ERRORS:
        print(f"… and {len(errors) - _MOST_ERRORS:,} more; --json has them all", file=sys.stderr)


def _end(say: Say, answer: dict[str, Any], told: str, *, as_json: bool, is_refused: bool) -> None:
    """Print how it went; lines with errors that were not to be left out make the exit status 1."""
    done = "Imported" if answer["imported"] else "Would be imported" if not is_refused else "Without the errors"
    say(as_json, answer, f"{done}: {told}.")
    if is_refused:
        print("Nothing was imported. Correct the lines, or leave them out with --leave-out-errors.", file=sys.stderr)
        raise typer.Exit(1)
