"""A backup is one zip file: the database as it was at one moment, and `manifest.json`, which says what it is.

SQLite is copied by its own online backup, beside readers and writers; PostgreSQL by pg_dump, and back by pg_restore.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import sqlalchemy as sa

from w365.errors import InputError, StoreError
from w365.own_files import opener
from w365.store.db.engine import Store, open_store
from w365.store.db.migrate import is_known, migrate, revision_of

_MANIFEST, KEY = "manifest.json", "secret.key"
_FORMAT = 1
_AS_IT_WAS = "Nothing was changed."


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup is of. ``database`` is "sqlite" or "postgresql"; ``has_key``: the data folder's key is in it."""

    version: str
    schema: str
    database: str
    made_at: str
    is_demo: bool
    has_key: bool
    format: int = _FORMAT

    @property
    def member(self) -> str:
        return "w365.db" if self.database == "sqlite" else "w365.dump"


def back_up(store: Store, path: Path, version: str, *, is_demo: bool, key: Path | None) -> Manifest:
    """Write a backup, whole or not at all, for its owner only; a file that is there is left. ``key`` goes into it."""
    if path.exists():
        raise InputError(f"{path} is there already.", kept=_AS_IT_WAS, do="Choose another name.")
    with store.read() as connection:
        schema = revision_of(connection)
    if schema is None:
        raise StoreError("There is no database of this program yet.", kept=_AS_IT_WAS, do="Check W365_DATABASE_URL.")
    kind = "sqlite" if store.is_sqlite else "postgresql"
    manifest = Manifest(version, schema, kind, dt.datetime.now(dt.UTC).isoformat(), is_demo, key is not None)
    with _told(path), tempfile.TemporaryDirectory(dir=path.parent, prefix=f"{path.name}.") as folder:
        part = Path(folder, "backup")
        with open(part, "wb", opener=opener) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(_MANIFEST, json.dumps(asdict(manifest), indent=1))
            archive.write(_copied(store, Path(folder, manifest.member)), manifest.member)
            if key is not None:
                archive.write(key, KEY)
        part.rename(path)
    return manifest


def _copied(store: Store, copy: Path) -> Path:
    if not store.is_sqlite:
        _run_tool("pg_dump", store.engine.url, ["--format=custom", "--no-owner", "--no-privileges", f"--file={copy}"])
        return copy
    with open(copy, "xb", opener=opener):
        pass  # before SQLite makes it as the umask says
    with closing(sqlite3.connect(store.engine.url.database or "")) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy


def read_manifest(path: Path) -> Manifest:
    """Read what a file is a backup of; InputError for any other file, StoreError for one of a newer version."""
    try:
        with zipfile.ZipFile(path) as archive:
            values = json.loads(archive.read(_MANIFEST))
        manifest = Manifest(**values) if values["format"] == _FORMAT else None
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.", kept=_AS_IT_WAS) from None
    except (OSError, KeyError, TypeError, ValueError, zipfile.BadZipFile):
        raise InputError(
            f"{path} is not a backup of this program.", kept=_AS_IT_WAS, do="Choose another file."
        ) from None
    if manifest is None or not is_known(manifest.schema):
        raise StoreError(f"{path} was written by another version.", kept=_AS_IT_WAS, do="Restore it with that version.")
    return manifest


def restore(path: Path, manifest: Manifest, url: str, *, replace: bool) -> Path | None:
    """Put the database of a backup where ``url`` says, checked, and migrate it; return where an older one is kept now.

    Raises StoreError with everything as it was where there is a database already (unless ``replace``, on SQLite),
    somebody has it open, or the copy is damaged.
    """
    store = open_store(url)
    try:
        if store.is_sqlite != (manifest.database == "sqlite"):
            raise StoreError(
                f"{path} is a backup of {manifest.database}, and W365_DATABASE_URL names another kind of database.",
                kept=_AS_IT_WAS,
                do="Correct W365_DATABASE_URL.",
            )
        with _told(path):
            kept = _restore_sqlite(path, manifest, store, replace=replace) if store.is_sqlite else None
            if not store.is_sqlite:
                _restore_postgres(path, manifest, store)
        store.keep_wal()
        migrate(store)
    finally:
        store.close()
    return kept


def _restore_sqlite(path: Path, manifest: Manifest, store: Store, *, replace: bool) -> Path | None:
    target = Path(store.engine.url.database or "")
    is_empty = _is_empty(store)
    store.close()
    if not (is_empty or replace):
        raise _not_empty("--replace puts it beside, and the backup in its place")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f"{target.name}.") as folder:
        copy = _extracted(path, manifest, folder)
        _check(copy, manifest)
        _close_for_all(target)
        kept = (
            None if is_empty else target.with_name(f"{target.stem}.before-{dt.datetime.now(dt.UTC):%Y%m%d-%H%M%S}.db")
        )
        if kept:
            target.rename(kept)
        copy.replace(target)
    return kept


def _restore_postgres(path: Path, manifest: Manifest, store: Store) -> None:
    if not _is_empty(store):
        raise _not_empty("Make an empty database and name that in W365_DATABASE_URL")
    with tempfile.TemporaryDirectory() as folder:
        copy = _extracted(path, manifest, folder)
        _run_tool("pg_restore", store.engine.url, ["--single-transaction", "--no-owner", "--no-privileges", str(copy)])


def _is_empty(store: Store) -> bool:
    with store.read() as connection:
        return not sa.inspect(connection).get_table_names()


def _not_empty(do: str) -> StoreError:
    return StoreError("There is a database already.", kept="It was left as it is.", do=f"{do}.")


def _extracted(path: Path, manifest: Manifest, folder: str) -> Path:
    copy = Path(folder, manifest.member)
    with (
        zipfile.ZipFile(path) as archive,
        archive.open(manifest.member) as source,
        open(copy, "xb", opener=opener) as to,
    ):
        shutil.copyfileobj(source, to, 1 << 20)
    return copy


def read_key(path: Path) -> str:
    """The key that was put into a backup."""
    with _told(path), zipfile.ZipFile(path) as archive:
        return archive.read(KEY).decode("ascii").strip()


def _check(copy: Path, manifest: Manifest) -> None:
    with closing(sqlite3.connect(copy)) as connection:
        answers = connection.execute("PRAGMA integrity_check").fetchall()
        schemas = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    if answers != [("ok",)] or schemas != [(manifest.schema,)]:
        raise StoreError("The backup is damaged.", kept=_AS_IT_WAS, do="Restore an older one.")


def _close_for_all(target: Path) -> None:
    """Bring a file's log into it; SQLite refuses that while anybody else has the file open."""
    try:
        with closing(sqlite3.connect(target, timeout=1)) as connection:
            (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
    except sqlite3.OperationalError:
        mode = "wal"
    if mode == "wal":
        raise StoreError("The database is in use.", kept=_AS_IT_WAS, do="Stop the app and its workers, then try again.")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, KeyError, ValueError, zipfile.BadZipFile, sqlite3.Error) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise StoreError(
            f"It went wrong between the database and {path} ({why}).",
            kept="The database is as it was.",
            do="Look at the file and the free space, then try again.",
        ) from error


def _run_tool(name: str, url: sa.URL, options: Sequence[str]) -> None:
    """Run one of PostgreSQL's own programs on the database; the password goes by its environment, which is private."""
    program = shutil.which(name)
    address = url._replace(drivername="postgresql", password=None).render_as_string(hide_password=False)
    if program is None:
        shown = " ".join((name, *options[:-1], f"--dbname='{address}'"))
        raise StoreError(
            f"{name} is not installed here.",
            kept=_AS_IT_WAS,
            do=f"Install PostgreSQL's client programs, or run on a machine that has them: {shown}",
        )
    environment: Mapping[str, str] = {**os.environ, "PGPASSWORD": url.password} if url.password else os.environ
    command = [program, *options, f"--dbname={address}"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - as above
    if done.returncode != 0:
        first = ", ".join(done.stderr.splitlines()[:2])
        raise StoreError(
            f"{name} failed ({first}).", kept=_AS_IT_WAS, do="Correct that, then try again.", detail=done.stderr
        )
