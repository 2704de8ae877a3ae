"""What the command line promises a shell: pipes, exit statuses, and nothing started for what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from fresh_stores import put_migrated
from typer.testing import CliRunner

from w365.cli.main import app
from w365.config import load_settings
from w365.errors import InputError
from w365.model import Actor, Role
from w365.service.access import local_user
from w365.service.bootstrap import open_service
from w365.service.configuring.settings import set_setting
from w365.service.syncing.providers import ManualAccount, add_manual_accounts, add_manual_provider

LONG = " ".join(["A customer with a name that no terminal has room for"] * 3)
MANY = 3_000
HEAVY = ("alembic", "numpy", "pandas", "streamlit", "uvicorn", "w365.demo")
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def _many_rows(home: Path, environment: Mapping[str, str], tmp_path: Path) -> None:
    put_migrated(home)
    service = open_service(load_settings(environment, tmp_path / "none.toml"))
    provider_id = add_manual_provider(service, local_user(), LONG)
    rows = [ManualAccount(f"{number}", f"{LONG} {number}", (), "DE") for number in range(MANY)]
    add_manual_accounts(service, local_user(), provider_id, rows)
    service.store.close()


@pytest.mark.usefixtures("_many_rows")
def test_a_table_that_is_piped_is_neither_cut_nor_coloured(run: Run) -> None:
    told = run("providers")
    (row,) = (line for line in told.stdout.splitlines() if "A customer" in line)
    assert LONG in row
    assert f"{MANY:,}" in row
    assert "\x1b" not in told.stdout


@pytest.mark.usefixtures("_many_rows")
def test_a_dash_is_stdout_and_the_count_goes_to_stderr(run: Run, tmp_path: Path) -> None:
    told = run("export", "unmapped", "--format", "json", "--output", "-")
    file = tmp_path / "file.json"
    run("export", "unmapped", "--format", "json", "--output", str(file))
    assert (told.returncode, told.stderr) == (0, f"{MANY:,} rows written.\n")
    assert told.stdout == file.read_text(encoding="utf-8")
    assert list((tmp_path / "here").iterdir()) == []


@pytest.mark.usefixtures("_many_rows")
def test_a_reader_that_has_seen_enough_is_no_error_to_read_about(environment: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", "w365", "export", "unmapped", "--output", "-"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""


def test_a_wrong_provider_is_refused_before_the_demo_is_started(run: Run, home: Path) -> None:
    told = run("sync", "--provider", "Nope", W365_DEMO="on")
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr == "There is no provider “Nope”. Providers: Partner Center.\n"
    assert (home / "demo" / "w365.db").exists()
    assert not list((home / "demo").glob("*.pem"))  # which the demo's servers make first


@pytest.mark.parametrize("wrong", [("export", "nothing", "--output", "x"), ("sync", "--nope"), ("nope",)])
def test_wrong_usage_ends_with_2_and_opens_nothing(run: Run, home: Path, wrong: tuple[str, ...]) -> None:
    told = run(*wrong)
    assert (told.returncode, told.stdout) == (2, "")
    assert "Usage: python -m w365" in told.stderr
    assert not home.exists()


def test_an_error_that_nobody_foresaw_is_a_sentence_with_the_traceback_in_the_log(run: Run, home: Path) -> None:
    run("stats")
    code = f"import sqlite3; sqlite3.connect({str(home / 'w365.db')!r}).executescript(PLANT)"
    run(python=("-c", code.replace("PLANT", repr("UPDATE provider SET kind = 'unheard of'"))))
    told = run("stats")
    assert told.returncode == 1
    assert told.stderr.count("\n") <= 2
    assert "Traceback" not in told.stderr
    assert "reference" in told.stderr
    assert "unheard of" in (home / "w365.log").read_text(encoding="utf-8")


@pytest.mark.parametrize("asked", [("stats",), ("providers",), ("config", "get"), ("--version",)])
def test_what_needs_no_network_imports_nothing_that_is_dear(run: Run, asked: tuple[str, ...]) -> None:
    run("stats")  # makes the database, for which Alembic is needed
    told = run(*asked, python=("-X", "importtime", "-m", "w365"))
    imported = {line.rpartition("|")[2].strip() for line in told.stderr.splitlines()}
    assert "w365.cli.main" in imported
    assert imported.isdisjoint(HEAVY)


def test_a_person_is_forgotten_after_a_preview_and_old_visits_when_asked(
    run: Run, home: Path, environment: Mapping[str, str], tmp_path: Path
) -> None:
    put_migrated(home)
    service = open_service(load_settings(environment, tmp_path / "none.toml"))
    set_setting(service, Actor("ann", Role.ADMIN), "shared_threshold", "12")
    service.store.close()
    preview, done = run("erase", "--person", "ann"), run("erase", "--person", "ann", "--yes")
    assert preview.stdout == (
        "ann would be erased: 1 in audit_log, 1 in setting_change. Nothing was changed; --yes does it.\n"
    )
    assert done.stdout.startswith("ann was erased: 1 in audit_log, 1 in setting_change. “Former colleague 1” stands in")
    again = run("erase", "--person", "ann")
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr.startswith("Nothing here was done by “ann”. Nothing was erased.")
    assert run("erase").returncode == 2
    assert "audit log  ever" in run("retention").stdout
    assert run("retention", "--remove").stdout == "Nothing was due.\n"


def test_a_manual_provider_is_added_listed_and_not_added_twice(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_migrated(home)
    monkeypatch.setenv("W365_HOME", str(home))
    monkeypatch.setenv("W365_DEMO", "off")

    def type_in(*words: str) -> str:
        return CliRunner().invoke(app, ["providers", *words], catch_exceptions=False).stdout

    assert type_in("add", "  Harbour   & Co ").startswith("Harbour & Co is added.")
    with pytest.raises(InputError, match="exists already"):
        type_in("add", "harbour & co")
    (row,) = (row for row in json.loads(type_in("--json"))["providers"] if row["kind"] == "manual")
    assert row["name"] == "Harbour & Co"
