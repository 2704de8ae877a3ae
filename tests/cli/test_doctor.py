"""`w365 doctor` looks at everything, says what to do, and tells by its exit status whether something is wrong."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from fresh_stores import put_migrated

from w365.config import DEMO_SERVED, load_settings
from w365.launch import connected
from w365.model import ProcessKind, RunKind
from w365.store.db.engine import open_store
from w365.store.processes import ProcessRow, note_process
from w365.store.runs import request_run

Run = Callable[..., subprocess.CompletedProcess[str]]


def checks(told: subprocess.CompletedProcess[str]) -> dict[str, tuple[str, str]]:
    answer = json.loads(told.stdout)
    assert answer["ok"] == (told.returncode == 0)
    assert answer["ok"] == all(each["mark"] != "wrong" for each in answer["checks"])
    return {each["check"]: (each["mark"], f"{each['what']} {each['do']}") for each in answer["checks"]}


@pytest.fixture
def served(environment: Mapping[str, str], tmp_path: Path) -> Iterator[Mapping[str, str]]:
    """Settings of connections to the demo's servers, as if they were somebody else's."""
    settings = load_settings({"W365_HOME": str(tmp_path / "servers")}, tmp_path / "none.toml")
    with connected(settings) as surroundings:
        given = {name: value for name, value in surroundings.environment.items() if name.startswith("W365_")}
        own = {name: environment[name] for name in ("W365_HOME", "W365_DEMO")}
        database = {"W365_DATABASE_URL": "", "W365_SECRET_KEY": ""}
        yield given | own | database | {DEMO_SERVED: "0", "W365_ALLOW_PRIVATE_ADDRESSES": "on"}


def test_what_is_well_is_said_with_the_connections_tried(run: Run, home: Path, served: Mapping[str, str]) -> None:
    put_migrated(home)
    run("stats", **served)
    told = run("doctor", "--json", **served)
    assert told.returncode == 0, told.stdout
    well = checks(told)
    assert {"packages", "settings", "sign-in", "disk", "files", "database", "worker"} < well.keys()
    assert well["CRM"] == ("ok", "Dataverse accepts the sign-in. Accounts can be read. Contacts can be read. ")
    assert well["Partner Center"][0] == "ok"


def test_a_refused_secret_is_wrong_and_never_shown(run: Run, home: Path, served: Mapping[str, str]) -> None:
    put_migrated(home)
    told = run("doctor", "--json", **{**served, "W365_DATAVERSE_CLIENT_SECRET": "not-the-secret"})
    assert told.returncode == 1
    assert checks(told)["CRM"][0] == "wrong"
    secrets = [value for name, value in served.items() if name.endswith(("_SECRET", "_KEY")) and value]
    assert not any(secret in told.stdout + told.stderr for secret in ["not-the-secret", *secrets])


def test_lines_for_people_begin_with_their_mark(run: Run, home: Path) -> None:
    put_migrated(home)
    told = run("doctor")
    assert {line.split()[0] for line in told.stdout.splitlines()} <= {"ok", "attention", "wrong"}
    assert told.returncode == 0


@pytest.mark.parametrize(
    ("more", "check", "words"),
    [
        ({"W365_SIGN_IN": "nobody"}, "settings", "W365_SIGN_IN"),
        ({"W365_PUBLIC_URL": "https://w365.example"}, "sign-in", "choose a sign-in"),
        ({"W365_DATABASE_URL": "postgresql://u:hidden-word@127.0.0.1:1/w"}, "database", "W365_DATABASE_URL"),
        ({"W365_DATABASE_URL": "mysql://u:hidden-word@h/w"}, "database", "W365_DATABASE_URL"),
    ],
)
def test_what_is_wrong_says_what_to_do(run: Run, more: Mapping[str, str], check: str, words: str) -> None:
    told = run("doctor", "--json", **more)
    mark, sentences = checks(told)[check]
    assert (told.returncode, mark) == (1, "wrong")
    assert words in sentences
    assert "hidden-word" not in told.stdout + told.stderr


def test_a_run_that_nobody_takes_is_wrong(run: Run, home: Path) -> None:
    put_migrated(home)
    store = open_store(f"sqlite:///{home / 'w365.db'}")
    long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=10)
    with store.write() as connection:
        request_run(connection, RunKind.MATCH, "all", "somebody", long_ago)
    store.close()
    assert checks(run("doctor", "--json"))["worker"][0] == "wrong"
    with store.write() as connection:
        note_process(connection, ProcessRow("a worker", ProcessKind.WORKER, "", "", (), dt.datetime.now(dt.UTC)))
    store.close()
    assert checks(run("doctor", "--json"))["worker"][0] == "ok"


def test_a_database_before_this_schema_is_told_and_left(run: Run, home: Path) -> None:
    told = run("doctor", "--json")
    mark, sentence = checks(told)["database"]
    assert (told.returncode, mark) == (0, "attention")
    assert "w365 migrate" in sentence
    assert (home / "w365.db").stat().st_size == 0
