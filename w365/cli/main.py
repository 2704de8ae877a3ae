"""The command line: `python -m w365 …`. Acts as the operating-system user, who is admin here.

Exit status: 0 done, 1 failed with the sentence on stderr, 2 wrong usage.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from w365.cli.importing import import_commands
from w365.cli.schedules import schedule_command
from w365.config import Settings, load_settings
from w365.errors import W365Error
from w365.launch import connected, serve_demo
from w365.log import set_up_logging
from w365.matching.messages import LEFT_WORDS
from w365.model import RunState
from w365.service import Service
from w365.service.access import local_user
from w365.service.exporting import Format, Subject
from w365.store.run_counts import as_words

app = typer.Typer(help="Which customer at a provider is which account in the CRM.", no_args_is_help=True)
config = typer.Typer(help="Read or change a setting.", no_args_is_help=True)
app.add_typer(config, name="config")
stored = typer.Typer(help="Look after the stored secrets.", no_args_is_help=True)
app.add_typer(stored, name="secrets")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


def main() -> None:
    """Run the command line and exit with its status."""
    try:
        app(prog_name="python -m w365")
    except W365Error as error:
        print(error, file=sys.stderr)
        sys.exit(1)


@app.command()
def demo(
    data: Annotated[Path | None, typer.Option(help="Serve this data folder instead of the fictional one.")] = None,
    print_env: Annotated[bool, typer.Option("--print-env", help="Print the settings that connect to it.")] = False,
) -> None:
    """Serve Partner Center, Dataverse and their sign-in locally until stopped."""
    serve_demo(os.environ, data, print_env=print_env)


@app.command()
def migrate(as_json: AsJson = False) -> None:
    """Bring the database to this version's schema."""
    from w365.store.db.engine import open_store
    from w365.store.db.migrate import migrate as bring_up

    store = open_store(_settings().database_url)
    revision = bring_up(store)
    _say(as_json, {"revision": revision}, f"The database has schema {revision}.")


@app.command()
def providers(as_json: AsJson = False) -> None:
    """List the providers with their state and counts."""
    from w365.service.syncing.providers import list_providers

    with _service() as service:
        rows = [
            {
                "name": one.name,
                "kind": one.kind.value,
                "state": _state(service, one.missing or _sign_in(service, one.id)),
                "provider_accounts": one.accounts,
                "open": one.open,
                "gone": one.gone,
                "last_sync": one.last_done.ended_at.isoformat() if one.last_done and one.last_done.ended_at else None,
            }
            for one in list_providers(service, local_user())
        ]
    _say_rows(as_json, "providers", rows)


@app.command()
def sync(
    provider: Annotated[str | None, typer.Option(help="Sync this provider only.")] = None,
    crm: Annotated[bool, typer.Option("--crm", help="Sync the CRM only.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Read every customer, not only what changed.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Sync the CRM and all providers (the default).")] = False,
    as_json: AsJson = False,
) -> None:
    """Sync accounts from the CRM and customers from the providers, then match."""
    if (provider is not None) + crm + everything > 1:
        raise typer.BadParameter("Choose one of --provider, --crm and --all.")
    from w365.service.syncing.providers import get_crm, list_providers
    from w365.service.syncing.runs import request_crm_sync, request_sync

    with _service(connect=True) as service:
        actor = local_user()
        runs = []
        if crm or (provider is None and not get_crm(service, actor).missing):
            runs.append(_run(service, request_crm_sync(service, actor)))
        if not crm:
            named = [provider] if provider else [one.name for one in list_providers(service, actor) if _is_synced(one)]
            runs.extend(_run(service, request_sync(service, actor, name, full=full)) for name in named)
        _tell_runs(service, runs, as_json=as_json)


@app.command()
def match(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be mapped; map nothing.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Make evidence and proposals anew first.")] = False,
    as_json: AsJson = False,
) -> None:
    """Map what is certain, if Auto-Match is on."""
    from w365.service.matching.run import preview_match
    from w365.service.syncing.runs import request_match

    with _service() as service:
        if not dry_run:
            _tell_runs(service, [_run(service, request_match(service, local_user(), full=full))], as_json=as_json)
            return
        preview = preview_match(service, local_user())
    told = f"{preview.total:,} provider accounts would be mapped, {preview.conflicts:,} are in conflict."
    if not preview.auto_match:
        told += " Auto-Match is off, so a run maps nothing."
    _say(as_json, asdict(preview), told)


@app.command()
def stats(as_json: AsJson = False) -> None:
    """Print the match statistics."""
    from w365.service.exporting import read

    with _service() as service:
        rows = [one for one in read(service, local_user(), Subject.STATISTICS) if one["section"] != "History"]
    _say_rows(as_json, "statistics", rows)


@app.command()
def export(
    subject: Subject,
    output: Annotated[Path, typer.Option(help="The file to write.")],
    form: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.CSV,
    as_json: AsJson = False,
) -> None:
    """Write a download to a file."""
    from w365.service.exporting import write_file

    with _service() as service:
        rows = write_file(service, local_user(), subject, form, output)
    _say(as_json, {"rows": rows, "output": str(output)}, f"{rows:,} rows written to {output}.")


@app.command()
def undo(
    last: Annotated[bool, typer.Option("--last", help="Take back what you did last.")] = False,
    decision: Annotated[int | None, typer.Option(help="Take back this decision.")] = None,
    run: Annotated[int | None, typer.Option(help="Take back all that this run decided.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be taken back; change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take decisions back. Rows changed since are left and listed."""
    if last + (decision is not None) + (run is not None) != 1:
        raise typer.BadParameter("Choose one of --last, --decision and --run.")
    from w365.service.deciding.bulk_run import confirm, discard, list_left
    from w365.service.deciding.undo import Undoable, preview_last, preview_undo

    with _service() as service:
        actor = local_user()
        preview = preview_last(service, actor) if last else preview_undo(service, actor, Undoable(decision, run))
        plan = preview.plan
        left = [asdict(one) for one in list_left(service, actor, plan.id)]
        if dry_run or not plan.would:
            discard(service, actor, plan.id)
            answer = {"undo": plan.said, "would_take_back": plan.would, "left": plan.left, "left_rows": left}
            _say(as_json, answer, _say_undo(f"{plan.would:,} provider accounts would be taken back", left, plan.left))
            return
        _tell_runs(service, [_run(service, confirm(service, actor, plan.id))], as_json=as_json)
        if not as_json and left:
            print(_say_undo("", left, plan.left))


@app.command()
def worker(parent: Annotated[int | None, typer.Option(hidden=True)] = None) -> None:
    """Work on queued runs until stopped. Start as many as wanted on PostgreSQL."""
    from w365.jobs import work

    with _service(connect=True) as service:
        work(service, parent=parent)


@config.command("get")
def get_setting(name: Annotated[str | None, typer.Argument()] = None, as_json: AsJson = False) -> None:
    """Print one setting, or all."""
    from w365.errors import NotFound
    from w365.service.configuring.settings import get_settings

    with _service() as service:
        values = dict(get_settings(service, local_user()))
    if name is not None and name not in values:
        raise NotFound(f"There is no setting “{name}”.", do=f"Settings: {', '.join(values)}.")
    chosen = values if name is None else {name: values[name]}
    _say(as_json, chosen, values[name] if name else "\n".join(f"{key} = {value}" for key, value in values.items()))


@config.command("set")
def change_setting(name: str, value: str, as_json: AsJson = False) -> None:
    """Change a setting; audited as every change is."""
    from w365.service.configuring.settings import get_settings, set_setting

    with _service() as service:
        changed = set_setting(service, local_user(), name, value)
        now = get_settings(service, local_user())[name]
    told = f"{name} is now {now}." if changed else f"{name} was {now} already."
    _say(as_json, {"name": name, "value": now, "changed": changed}, told)


@stored.command("rotate")
def rotate_secrets(as_json: AsJson = False) -> None:
    """Encrypt the stored secrets with the newest W365_SECRET_KEY; an older one that still reads them can go then."""
    from w365.errors import ConfigurationError
    from w365.service.connecting.connections import rotate_secrets as rotate

    with _service() as service:
        renewed, lost = rotate(service, local_user())
    _say(as_json, {"renewed": renewed, "lost": lost}, f"{renewed:,} stored secrets were encrypted with the newest key.")
    if lost:
        raise ConfigurationError(
            f"No key reads what is stored for {', '.join(lost)}.",
            kept="It was left as it is.",
            do="Set the key it was encrypted with as W365_SECRET_KEY_OLD and try again.",
        )


# --- behind the commands ---


@contextmanager
def _service(*, connect: bool = False) -> Iterator[Service]:
    """Open the service; `connect` starts the demo's servers where no connection is set."""
    from w365.service.bootstrap import open_service

    settings = _settings()
    if not connect:
        yield open_service(settings)
        return
    with connected(settings) as surroundings:
        yield open_service(surroundings.settings)


def _settings() -> Settings:
    settings = load_settings()
    set_up_logging(settings, to_stderr=logging.ERROR)  # failures are told as sentences
    return settings


def _is_synced(provider: Any) -> bool:
    return provider.kind.value != "manual" and not provider.missing


def _state(service: Service, missing: str) -> str:
    """In words whether a provider can be synced; the demo's servers are started when they are needed."""
    return "demo" if missing and service.settings.is_demo else missing or "ready"


def _sign_in(service: Service, provider_id: int) -> str:
    from w365.service.connecting.sign_ins import get_sign_in

    found = get_sign_in(service, local_user(), str(provider_id))
    return found.problem if found else ""


def _run(service: Service, run_id: int) -> int:
    from w365.jobs import execute

    execute(service, run_id)
    return run_id


def _tell_runs(service: Service, run_ids: Sequence[int], *, as_json: bool) -> None:
    """Print how the runs and the matches after them ended; a failed one makes the exit status 1, told on stderr."""
    from w365.service.syncing.runs import list_runs

    first = min(run_ids, default=0)
    runs = [one for one in reversed(list_runs(service, local_user())) if run_ids and one.id >= first]
    answer = [
        {
            "run": one.id,
            "kind": one.kind.value,
            "target": one.target,
            "state": one.state.value,
            "result": as_words(one.result),
            "error": one.error,
        }
        for one in runs
    ]
    lines = [f"{one.target} {one.kind.value}: {one.state.value}{_counts(as_words(one.result))}" for one in runs]
    _say(as_json, {"runs": answer}, "\n".join(lines))
    failed = [one for one in runs if one.state is not RunState.DONE]
    for one in failed:
        print(f"{one.target}: {one.error}", file=sys.stderr)
    if failed:
        raise typer.Exit(1)


def _say_undo(said: str, rows: Sequence[dict[str, Any]], left: dict[str, int]) -> str:
    """Say what is left and by whom it was changed, a line each."""
    lines = [f"{said}." if said else ""] + [f"{amount:,} left: {LEFT_WORDS[why]}." for why, amount in left.items()]
    lines += [f"  {one['provider_account']} ({one['provider']}): {one['by'] or LEFT_WORDS[one['why']]}" for one in rows]
    return "\n".join(line for line in lines if line)


def _counts(result: dict[str, int]) -> str:
    told = ", ".join(f"{count:,} {word.replace('_', ' ')}" for word, count in result.items() if count)
    return f" ({told})" if told else ""


def _say(as_json: bool, answer: dict[str, Any], text: str) -> None:
    print(json.dumps(answer, ensure_ascii=False, default=str) if as_json else text)


app.add_typer(import_commands(_service, _say), name="import")


def _say_rows(as_json: bool, name: str, rows: Sequence[dict[str, Any]]) -> None:
    if as_json or not rows:
        _say(as_json, {name: list(rows)}, "Nothing to show yet.")
        return
    table = Table(*(key.replace("_", " ") for key in rows[0]), box=None)
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row.values()))  # Text: names are not markup
    Console().print(table)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else str(value)


app.command("schedule")(schedule_command(_service, _say_rows))
