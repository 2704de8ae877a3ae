"""Whatever this program keeps is its owner's only: before it ran, while it runs, on every way in."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.app_process import running_app

from w365.config import load_settings
from w365.log import set_up_logging
from w365.own_files import find_network_system, make_folder, narrow, opener
from w365.store.db import engine
from w365.store.db.engine import open_store
from w365.store.db.migrate import _back_up, migrate

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def open_to_others(folder: Path) -> list[str]:
    """Give whatever in a folder, and itself, somebody else may do something with."""
    paths = [folder, *(path for path in folder.rglob("*") if not path.is_symlink())]
    return [f"{path} {stat.S_IMODE(path.stat().st_mode):o}" for path in paths if path.stat().st_mode & 0o077]


def stand_before(home: Path) -> Path:
    """Make a data folder as older versions and other umasks left it."""
    for folder in (home, home / "demo"):
        folder.mkdir(mode=0o755)
        for name in ("w365.db", "w365.log", "w365.log.1", "w365.before-0017.db", "ports.json", "queue.db"):
            (folder / name).touch(0o644)
        (folder / "secret.key").write_text("a key that is long enough to be one")
    assert len(open_to_others(home)) == 16
    return home


# --- the module ---


def test_what_stood_there_before_is_narrowed_and_never_widened(tmp_path: Path) -> None:
    home = stand_before(tmp_path / "home")
    (home / "kept").touch(0o400)
    assert narrow(home) == []
    assert open_to_others(home) == []
    assert stat.S_IMODE((home / "kept").stat().st_mode) == 0o400
    assert stat.S_IMODE((home / "w365.db").stat().st_mode) == 0o600


def test_folders_are_made_for_their_owner_also_those_above(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b" / "c")
    assert open_to_others(tmp_path / "a") == []


def test_a_file_is_opened_narrow_and_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "old").touch(0o644)
    for name in ("old", "new"):
        with open(tmp_path / name, "w", opener=opener) as file:
            assert os.fstat(file.fileno()).st_mode & 0o077 == 0
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"), open(tmp_path / "link", "w", opener=opener):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_a_link_out_of_the_folder_is_said_and_what_is_behind_it_stays(tmp_path: Path) -> None:
    home, other = tmp_path / "home", tmp_path / "other"
    for folder in (home, other):
        folder.mkdir()
    (other / "file").touch(0o644)
    (home / "folder").symlink_to(other)
    (home / "file").symlink_to(other / "file")
    (home / "inside").symlink_to(home)
    [said] = narrow(home)
    assert "link that leads out" in said
    assert "and 1 more" in said
    assert len(open_to_others(other)) == 2
    assert open_to_others(home) == []


def refuse(*_: object) -> None:
    raise PermissionError(1, "Operation not permitted")


def test_what_belongs_to_others_or_keeps_no_modes_is_said_with_what_to_do(tmp_path: Path) -> None:
    home = stand_before(tmp_path / "home")
    said = narrow(home, refuse)
    assert len(said) == 2  # the folder, and once all that is in it
    assert "cannot be changed (Operation not permitted). It is used as it is. Give it to the user" in said[0]
    assert all("keeps no modes" in sentence for sentence in narrow(home, lambda *_: None))
    assert len(open_to_others(home)) == 16


def test_a_folder_for_many_uses_is_left_but_for_our_own_files(tmp_path: Path) -> None:
    home = stand_before(tmp_path / "home")
    home.chmod(0o1777)
    [said] = narrow(home)
    assert "for many uses" in said
    assert "W365_HOME" in said
    assert sorted(open_to_others(home)) == [f"{home} 1777", f"{home / 'ports.json'} 644", f"{home / 'queue.db'} 644"]


def test_in_the_home_of_a_person_only_our_own_files_are_narrowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = stand_before(tmp_path / "home")
    monkeypatch.setenv("HOME", str(home))
    assert narrow(home) == []
    assert sorted(open_to_others(home)) == [f"{home / 'ports.json'} 644", f"{home / 'queue.db'} 644"]
    tmp_path.chmod(0o755)  # the folder that homes are in
    assert "for many uses" in narrow(tmp_path)[0]
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


# --- its users ---


def test_a_database_elsewhere_and_its_backup_are_its_owners(tmp_path: Path) -> None:
    folder = tmp_path / "everybody's"
    folder.mkdir(0o755)
    (folder / "w365.before-0017.db").touch(0o644)
    store = open_store(f"sqlite:///{folder / 'w365.db'}")
    assert stat.S_IMODE((folder / "w365.db").stat().st_mode) == 0o600  # before SQLite has written a byte
    migrate(store)
    _back_up(store, "0017")
    assert sorted(path.name for path in folder.iterdir()) == [
        *("w365.before-0017.db", "w365.db", "w365.db-shm", "w365.db-wal")
    ]
    assert open_to_others(folder) == [f"{folder} 755"]
    store.close()


def test_a_rotated_log_stays_its_owners(tmp_path: Path) -> None:
    (tmp_path / "w365.log").touch(0o644)
    set_up_logging(load_settings({"W365_HOME": str(tmp_path), "W365_DEMO": "off"}, tmp_path / "none"))
    for _ in range(3):
        logging.getLogger("w365.any").info("%s", "a line of three megabytes, two of which fill a file " * 60_000)
    logs = sorted(tmp_path.glob("w365.log*"))
    assert [path.name for path in logs] == ["w365.log", "w365.log.1", "w365.log.2"]
    assert [path for path in logs if path.stat().st_mode & 0o077] == []


def test_a_log_that_is_a_link_is_not_written_and_nothing_breaks(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "w365.log").symlink_to(tmp_path / "elsewhere.log")
    set_up_logging(load_settings({"W365_HOME": str(home), "W365_DEMO": "off"}, tmp_path / "none"))
    logging.getLogger("w365.any").info("a line")
    assert not (tmp_path / "elsewhere.log").exists()


# --- for real ---


def w365(home: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "W365_HOME": str(home), "PYTHONPATH": str(ROOT), **settings}
    command = [sys.executable, "-m", "w365", *arguments]
    return subprocess.run(command, cwd=home.parent, env=environment, capture_output=True, text=True, check=False)


def test_the_command_line_narrows_a_folder_after_the_demo_and_then_the_real_one(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for settings in ({}, {"W365_DEMO": "off"}, {"W365_DEMO": "off"}):
        told = w365(home, "stats", **settings)
        assert (told.returncode, told.stderr) == (0, "")
        assert open_to_others(home) == []
        for path in (home, *home.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
    assert w365(home, "migrate").returncode == 0
    assert open_to_others(home) == []


def test_an_export_is_its_owners_unless_the_file_had_a_mode(tmp_path: Path) -> None:
    (tmp_path / "old.csv").touch(0o664)
    (tmp_path / "old.csv").chmod(0o664)
    for name in ("new.csv", "old.csv"):
        assert w365(tmp_path / "home", "export", "mappings", "--output", str(tmp_path / name)).returncode == 0
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("new.csv", "old.csv")]
    assert modes == [0o600, 0o664]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "new.csv", "old.csv"]


def test_a_folder_that_cannot_be_narrowed_is_said_on_stderr_and_it_starts(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o1777)
    told = w365(home, "stats", W365_DEMO="off")
    assert told.returncode == 0
    assert "Others on this machine may be able to read" in told.stderr
    assert "Others on this machine" in (home / "w365.log").read_text()


def synced(path: Path) -> bool:
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        query = "SELECT count(*) FROM run WHERE state = 'done' AND kind = 'match'"
        with contextlib.suppress(sqlite3.OperationalError):  # the tables are just being made
            return bool(connection.execute(query).fetchone()[0])
    return False


def test_the_app_its_worker_and_its_demo_leave_nothing_to_others(tmp_path: Path) -> None:
    home = stand_before(tmp_path / "home")
    for path in home.rglob("w365.*db"):
        path.unlink()
    with running_app(home, {}):
        until = time.monotonic() + 90
        while not ((home / "demo" / "w365.db").exists() and synced(home / "demo" / "w365.db")):
            assert time.monotonic() < until
            time.sleep(0.2)
        left = [line for line in open_to_others(home) if "app.log" not in line]
    assert left == []


@pytest.mark.parametrize(
    ("place", "kind", "told"),
    [
        ("{data}", "nfs4", "nfs4"),
        ("{data}", "cifs", "cifs"),
        ("{data}", "fuse.sshfs", "fuse.sshfs"),
        ("{data}", "ext4", ""),
        ("{data}/other", "nfs4", ""),
        ("/", "nfs", "nfs"),
    ],
)
def test_a_path_on_a_network_folder_is_known(tmp_path: Path, place: str, kind: str, told: str) -> None:
    (folder := tmp_path / "with space").mkdir()
    escaped = place.format(data=folder).replace(" ", "\\040")
    (mounts := tmp_path / "mounts").write_text(f"tmpfs /run tmpfs rw 0 0\nserver:/x {escaped} {kind} rw 0 0\n")
    assert find_network_system(folder / "w365.db", mounts) == told


def test_a_database_on_a_network_folder_is_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "find_network_system", lambda _: "nfs4")
    store = engine.open_store(f"sqlite:///{tmp_path / 'w365.db'}")
    (sentence,) = store.warn_of_place()
    store.close()
    assert "lies on a network folder (nfs4)" in sentence
