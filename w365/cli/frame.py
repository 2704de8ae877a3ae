"""What the commands share: the service they act on, and how they print: text, or one JSON object."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from w365.config import Settings, load_settings
from w365.errors import AlreadyRunning
from w365.launch import Surroundings, connected
from w365.log import set_up_logging
from w365.model import RunState
from w365.service import Service
from w365.service.access import command_line_user
from w365.service.own_data import keep_to_owner
from w365.store.db.engine import Store
from w365.store.run_counts import as_words

_NO_END = 1_000_000
"""Columns of where a table is piped to: nothing is cut or wrapped there."""

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


@contextmanager
def open_service(*, connect: bool = False) -> Iterator[Service]:
    """Open the service; `connect` starts the demo's servers where no connection is set."""
    from w365.service.bootstrap import open_service as open_with

    settings = read_settings()
    with connected(settings) if connect else nullcontext(Surroundings(settings, {})) as surroundings:
        service = open_with(surroundings.settings)
        print_open_files(service.settings, service.store)
        yield service


def print_open_files(settings: Settings, store: Store) -> None:
    """Say on stderr what others on this machine may be able to read."""
    for sentence in keep_to_owner(settings, store):
        print(sentence, file=sys.stderr)


def read_settings() -> Settings:
    """Read the settings from the environment, and log to its file."""
    settings = load_settings()
    set_up_logging(settings, to_stderr=logging.ERROR)  # failures are told as sentences
    return settings


def run_now(service: Service, request: Callable[[], int]) -> int:
    """Ask for a run and carry it out; return its id. One that waits already is carried out in its place.

    The process that asked for that may be gone, and without a worker nobody else would ever take it up.
    """
    from w365.jobs import execute_run

    try:
        run_id = request()
    except AlreadyRunning as error:
        if error.waiting is None:
            raise
        run_id = error.waiting
    execute_run(service, run_id)
    return run_id


def print_answer(as_json: bool, answer: Mapping[str, Any], text: str) -> None:
    print(json.dumps(answer, ensure_ascii=False, default=str) if as_json else text)


def print_rows(as_json: bool, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows of the same fields as a table, or as the list `name` of an object."""
    if as_json or not rows:
        print_answer(as_json, {name: list(rows)}, "Nothing to show yet.")
        return
    table = Table(*(key.replace("_", " ") for key in rows[0]), box=None)
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row.values()))  # Text: names are not markup
    console = Console()
    (console if console.is_terminal else Console(width=_NO_END)).print(table)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else str(value)


def print_runs(service: Service, run_ids: Sequence[int], *, as_json: bool) -> None:
    """Print how the runs and the matches after them ended; a failed one makes the exit status 1, told on stderr."""
    from w365.service.syncing.runs import list_runs, say_state

    first = min(run_ids, default=0)
    runs = [run for run in reversed(list_runs(service, command_line_user())) if run_ids and run.id >= first]
    answer = [
        {
            "run": run.id,
            "kind": run.kind.value,
            "target": run.target,
            "state": run.state.value,
            "result": as_words(run.result),
            "error": run.error,
            "message": run.message,
        }
        for run in runs
    ]
    lines = [f"{run.target} {run.kind.value}: {say_state(run)}{_in_brackets(as_words(run.result))}" for run in runs]
    print_answer(as_json, {"runs": answer}, "\n".join(lines + [run.message for run in runs if run.message]))
    failed = [run for run in runs if run.state is not RunState.DONE]
    for run in failed:
        print(f"{run.target}: {run.error}", file=sys.stderr)
    if failed:
        raise typer.Exit(1)


def _in_brackets(counts: Mapping[str, int]) -> str:
    return f" ({say_counts(counts)})" if any(counts.values()) else ""


def say_counts(counts: Mapping[str, int]) -> str:
    """Say the counts that are not zero: ``3 new, 1 set aside``."""
    return ", ".join(f"{count:,} {word.replace('_', ' ')}" for word, count in counts.items() if count)
