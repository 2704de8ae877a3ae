"""The command line: `python -m w365 …`. Acts as the operating-system user, who is admin here.

Exit status: 0 done, 1 failed with the sentence on stderr, 2 wrong usage.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from w365.cli.frame import AsJson, print_answer, print_open_files, read_settings
from w365.cli.importing import import_commands
from w365.cli.people import people
from w365.cli.reading import export, providers, schedule, stats
from w365.cli.runs import cancel, match, sync, undo, worker
from w365.cli.settings import config, stored_secrets
from w365.errors import W365Error
from w365.launch import serve_demo


def main() -> None:
    """Run the command line and exit with its status."""
    try:
        app(prog_name="python -m w365")
    except W365Error as error:
        print(error, file=sys.stderr)
        sys.exit(1)


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


app = typer.Typer(help="Which customer at a provider is which account in the CRM.", no_args_is_help=True)
for _command in (demo, migrate, providers, sync, match, stats, export, undo, cancel, worker, schedule):
    app.command()(_command)
_GROUPS = {"config": config, "secrets": stored_secrets, "people": people, "import": import_commands}
for _name, _commands in _GROUPS.items():
    app.add_typer(_commands, name=_name)
