"""Bring a database to the schema of this code: new ones are made, older ones are backed up and migrated."""

from __future__ import annotations

import functools
import sqlite3
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from w365.errors import StoreError
from w365.store.db.engine import Store

_SCRIPTS = Path(__file__).parents[1] / "migrations"


def migrate(store: Store) -> str:
    """Migrate to the newest revision and return its name; a database that has it is only looked at.

    Raises StoreError, with the database as it was, when it is newer than this code or not one of ours. A SQLite file
    is copied beside itself before an older schema is changed.
    """
    scripts = _scripts()
    newest = scripts.get_current_head() or ""
    with store.read() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        tables = sa.inspect(connection).get_table_names()
    if current == newest:
        return newest
    if current is None and tables:
        raise StoreError(
            "The database holds tables of another program.", kept="It was left as it is.", do="Name another one."
        )
    if current is not None and current not in {script.revision for script in scripts.walk_revisions()}:
        raise StoreError(
            "The database was written by a newer version of this program.",
            kept="It was left as it is.",
            do="Update the program.",
        )
    if current is None:
        store.keep_wal()
    with store.write() as connection:
        if MigrationContext.configure(connection).get_current_revision() == current:  # nobody was faster
            if current is not None:
                _back_up(store, current)
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    return newest


@functools.cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    return config


def _back_up(store: Store, revision: str) -> None:
    path = store.engine.url.database
    if not store.is_sqlite or not path:
        return
    copy = Path(path).with_suffix(f".before-{revision}.db")
    try:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(
            f"The database could not be copied to {copy} before its migration ({error}).",
            kept="It was left as it is.",
            do="Free some space or correct the folder's mode, then start again.",
        ) from error
