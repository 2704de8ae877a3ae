"""Bring a database to the schema of this code: new ones are made, older ones are copied and migrated."""

from __future__ import annotations

import functools
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from w365.errors import StoreError
from w365.own_files import opener
from w365.store.db.engine import Store

if TYPE_CHECKING:
    from alembic.config import Config

_SCRIPTS = Path(__file__).parents[1] / "migrations"

_FIRST = "1.0.0"
"""The first revision. Each is named after the version that brought it."""

_SAME = "0017"
"""What stood in a database of version 0.1.0; its tables are those of the first revision."""

_OLDER = frozenset(f"{number:04}" for number in range(1, 17))
"""What stood in databases before that. Version 0.1.0 still knows the way from them."""


def migrate(store: Store) -> str:
    """Migrate to the newest revision and return its name; a database that has it is only looked at.

    One of version 0.1.0 has the first revision's tables and gets its name. Raises StoreError, with the database as it
    was, when it is older than that, newer than this code or not one of ours. A SQLite file is copied beside itself
    before an older schema is changed.
    """
    newest, store.schema = newest_schema(), None
    with store.read() as connection:
        current = revision_of(connection)
        has_tables = bool(sa.inspect(connection).get_table_names())
    if current != newest:
        _change(store, current, newest, has_tables=has_tables)
    store.schema = newest
    return newest


def _change(store: Store, current: str | None, newest: str, *, has_tables: bool) -> None:
    _refuse_unknown(current, has_tables=has_tables)
    if current is None:
        store.keep_wal()
    with store.write() as connection:
        if revision_of(connection) == current:  # nobody was faster
            _bring_to(store, connection, current, newest)


def newest_schema() -> str:
    """The schema of this code."""
    return known_schemas()[-1]


@functools.cache
def known_schemas() -> tuple[str, ...]:
    """The schemas that this code can bring a database from or to, oldest first, by the names of the scripts' files.

    Alembic, which would tell them too, is a tenth of a second to import; a database with the newest does not need it.
    """
    numbers = [path.stem.split("_")[1:] for path in (_SCRIPTS / "versions").glob("schema_*.py")]
    return tuple(".".join(parts) for parts in sorted(numbers, key=lambda parts: [int(part) for part in parts]))


def is_known(schema: str) -> bool:
    """Tell whether this code can bring a database from a schema to its own."""
    return schema == _SAME or schema in known_schemas()


def revision_of(connection: sa.Connection) -> str | None:
    """The schema that a database has; None for an empty one, or one of another program."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return revision


def _refuse_unknown(current: str | None, *, has_tables: bool) -> None:
    if current is None and has_tables:
        raise StoreError(
            "The database holds tables of another program.", kept="It was left as it is.", do="Name another one."
        )
    if current in _OLDER:
        raise StoreError(
            f"The database has a schema ({current}) that this version of the program does not know any more.",
            kept="It was left as it is.",
            do="Open it with version 0.1.0 first, then with this one.",
        )
    if current is not None and not is_known(current):
        raise StoreError(
            "The database was written by a newer version of this program.",
            kept="It was left as it is.",
            do="Update the program.",
        )


def _bring_to(store: Store, connection: sa.Connection, current: str | None, newest: str) -> None:
    if current == _SAME:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{_FIRST}'")
        current = _FIRST
    if current == newest:
        return
    if current is not None:
        _back_up(store, current)
    from alembic import command

    if not store.is_sqlite:
        _make_schema(connection)
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _make_schema(connection: sa.Connection) -> None:
    """Make the schema that W365_DATABASE_SCHEMA names, where it is not there."""
    current, path = connection.exec_driver_sql("SELECT current_schema(), current_setting('search_path')").one()
    if current is None:
        connection.exec_driver_sql(f'CREATE SCHEMA IF NOT EXISTS "{path}"')


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    return config


def _back_up(store: Store, revision: str) -> None:
    path = store.engine.url.database
    if not store.is_sqlite or not path:
        return
    copy = Path(path).with_suffix(f".before-{revision}.db")
    try:
        with open(copy, "wb", opener=opener):
            pass  # before SQLite makes it as the umask says
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(
            f"The database could not be copied to {copy} before its migration ({error}).",
            kept="It was left as it is.",
            do="Free some space or correct the folder's mode, then start again.",
        ) from error
