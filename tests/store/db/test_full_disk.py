"""A full disk is a sentence; what was saved is safe, and everything goes on when there is room again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fresh_stores import put_migrated

from w365.errors import StoreError
from w365.model import ProviderKind
from w365.store.db.engine import Store, open_store
from w365.store.syncing.providers import put_provider

ROOT = Path(__file__).resolve().parents[3]
SIZE = "12m"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=700", "tmpfs", str(place)], capture_output=True, check=False
    )
    if done.returncode != 0:
        pytest.skip("this machine lets nobody mount a small disk")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path) -> Path:
    """Leave no block free."""
    path = disk / "filler"
    with path.open("wb", buffering=0) as file:
        while True:
            try:
                file.write(bytes(4096))
            except OSError:
                return path


def add(store: Store, names: range) -> None:
    for number in names:
        with store.write() as connection:
            put_provider(connection, f"provider {number} {'x' * 4000}", ProviderKind.MANUAL)


def count(store: Store) -> int:
    with store.read() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM provider").scalar_one())


def test_an_open_database_says_so_keeps_what_it_has_and_goes_on(disk: Path) -> None:
    put_migrated(disk)
    store = open_store(f"sqlite:///{disk / 'w365.db'}")
    store.keep_wal()
    add(store, range(3))
    filler = fill(disk)
    with pytest.raises(StoreError, match=r"The disk is full\. .* what was saved before is safe\. Free some space"):
        add(store, range(3, 3000))
    kept = count(store)
    assert kept >= 3
    store.tidy()
    filler.unlink()
    add(store, range(5000, 5010))
    assert count(store) == kept + 10
    store.close()


def test_a_command_ends_with_a_sentence_and_works_again_when_there_is_room(disk: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("W365_")}
    environment = {**kept, "W365_HOME": str(disk / "home"), "W365_DEMO": "off", "PYTHONPATH": str(ROOT)}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "w365", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)

    assert run("config", "set", "auto_match", "true").returncode == 0
    filler = fill(disk)
    told = run("config", "set", "auto_match", "false")
    assert told.returncode == 1
    assert told.stderr.startswith("The disk is full"), told.stderr
    assert told.stderr.count("\n") == 1
    filler.unlink()
    assert run("config", "get", "auto_match").stdout.strip() == "true"
    assert run("config", "set", "auto_match", "false").returncode == 0
