"""The command line: `w365 …` or `python -m w365 …`. Acts as the operating-system user, who is admin here.

Exit status: 0 done, 1 refused or failed with the sentence on stderr, 2 wrong usage.
"""

from __future__ import annotations

import logging
import os
import platform
import sys
import uuid
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from w365 import __version__
from w365.cli.backups import backup, restore
from w365.cli.doctor import doctor
from w365.cli.frame import AsJson, print_answer, print_open_files, read_settings
from w365.cli.importing import import_commands
from w365.cli.people import people
from w365.cli.providers import providers
from w365.cli.reading import export, schedule, stats
from w365.cli.retention import erase, retention
from w365.cli.runs import cancel, match, sync, undo, worker
from w365.cli.settings import config, stored_secrets
from w365.cli.tokens import tokens
from w365.errors import W365Error
from w365.launch import become_app, serve_demo

_log = logging.getLogger(__name__)


def main() -> None:
    """Run the command line and exit with its status."""
    logging.getLogger("w365").addHandler(logging.NullHandler())  # until a command sets its own up
    started_as = "python -m w365" if Path(sys.argv[0]).name == "__main__.py" else "w365"
    try:
        app(prog_name=started_as)
    except W365Error as error:
        _log.warning("%s: %s %s", started_as, error, error.detail)
        print(error, file=sys.stderr)
        sys.exit(1)
    except Exception:  # noqa: BLE001 - the command line's last resort, as the pages and the job runner have theirs
        reference = uuid.uuid4().hex[:8]
        _log.warning("a command failed, reference %s", reference, exc_info=True)
        print(f"The command failed for a reason nobody foresaw (reference {reference} in w365.log).", file=sys.stderr)
        sys.exit(1)


def _print_version(asked: bool) -> None:
    if not asked:
        return
    from w365.store.db.migrate import newest_schema

    print(f"w365 {__version__}\nschema {newest_schema()}")
    print(f"Python {platform.python_version()}\nStreamlit {version('streamlit')}")
    raise typer.Exit


def begin(
    _version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_print_version, help="Print the versions, and end."),
    ] = False,
) -> None:
    """Which customer at a provider is which account in the CRM."""


def start_app(context: typer.Context) -> None:
    """Start the app, as `streamlit run app.py` does from its folder; all arguments are Streamlit's."""
    become_app(context.args)


def demo(
    data: Annotated[Path | None, typer.Option(help="Serve this data folder instead of the fictional one.")] = None,
    print_env: Annotated[bool, typer.Option("--print-env", help="Print the settings that connect to it.")] = False,
) -> None:
    """Serve Partner Center, Dataverse and their sign-in locally until stopped."""
    serve_demo(os.environ, data, print_env=print_env)


def migrate(as_json: AsJson = False) -> None:
    """Bring the database to this version's schema."""
    from w365.store.db.engine import open_store
    from w365.store.db.migrate import migrate as bring_up

    settings = read_settings()
    store = open_store(settings.database_url)
    print_open_files(settings, store)
    revision = bring_up(store)
    print_answer(as_json, {"revision": revision}, f"The database has schema {revision}.")


app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
app.callback()(begin)
app.command("app", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(start_app)
for _command in (
    demo,
    doctor,
    backup,
    restore,
    migrate,
    sync,
    match,
    stats,
    export,
    undo,
    cancel,
    worker,
    schedule,
    retention,
    erase,
):
    app.command()(_command)
_GROUPS = {
    "providers": providers,
    "config": config,
    "secrets": stored_secrets,
    "people": people,
    "tokens": tokens,
    "import": import_commands,
}
for _name, _commands in _GROUPS.items():
    app.add_typer(_commands, name=_name)
