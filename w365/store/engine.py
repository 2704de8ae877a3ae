"""Open a database: SQLite file or PostgreSQL, one code.

Measured with SQLAlchemy's defaults on SQLite, 40 of 160 concurrent updates survived. Here every write transaction takes
the write lock at its start (`BEGIN IMMEDIATE`), and all 160 do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from w365.errors import ConfigurationError, StoreError

BUSY_TIMEOUT_MS = 15_000
_MATCH_LOCK = 365_001
"""Advisory lock on PostgreSQL: edits share it, a match run holds it alone."""


class Store:
    """A database with its two ways in: `read` sees one consistent state, `write` changes it or leaves it as it was."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        with _told(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self, *, alone: bool = False) -> Iterator[sa.Connection]:
        """Open a write transaction; `alone` keeps every other edit out until it ends (SQLite always does)."""
        with _told(), self.engine.connect() as plain:
            connection = plain.execution_options(w365_write=True)
            with connection.begin():
                if not self.is_sqlite:
                    call = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
                    connection.exec_driver_sql(f"SELECT {call}({_MATCH_LOCK})")
                yield connection

    def close(self) -> None:
        self.engine.dispose()


def open_store(url: str) -> Store:
    """Open the database at `url` without creating or changing tables (see `w365.store.migrate`)."""
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise ConfigurationError(
            "W365_DATABASE_URL is not a database address.", do="Use sqlite:///… or postgresql://…"
        ) from None
    match parsed.get_backend_name():
        case "sqlite":
            return Store(_sqlite(parsed))
        case "postgresql":
            return Store(
                sa.create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, pool_size=10)
            )
        case other:
            raise ConfigurationError(f"W365_DATABASE_URL names {other}.", do="Use sqlite:///… or postgresql://…")


def _sqlite(url: sa.URL) -> sa.Engine:
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})
    sa.event.listen(engine, "connect", _prepare)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions are ours, see _begin
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA cache_size = -32768")
    connection.execute("PRAGMA temp_store = MEMORY")


def _begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("w365_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _told() -> Iterator[None]:
    """Turn the driver's storage errors into sentences; programming errors pass."""
    try:
        yield
    except (sa.exc.OperationalError, sa.exc.DatabaseError) as error:
        if isinstance(error, (sa.exc.IntegrityError, sa.exc.ProgrammingError, sa.exc.DataError)):
            raise
        raise _storage_error(error) from error


def _storage_error(error: sa.exc.DatabaseError) -> StoreError:
    text = str(error.orig).lower()
    for sign, what, do in _STORAGE_ERRORS:
        if sign in text:
            return StoreError(what, kept="Nothing of this step was written; what was saved before is safe.", do=do)
    return StoreError(
        "The database did not answer.", kept="Nothing of this step was written.", do="Try again.", detail=text
    )


_STORAGE_ERRORS = (
    ("locked", "The database is busy with another change.", "Try again in a moment."),
    ("disk is full", "The disk is full.", "Free some space, then try again."),
    ("readonly", "The database file cannot be written.", "Check the owner and mode of the file and its folder."),
    ("unable to open", "The database file cannot be opened.", "Check W365_DATABASE_URL or W365_HOME."),
    (
        "not a database",
        "The file at the database's path is not a W365 database.",
        "Name another file; this one was left as it is.",
    ),
    ("malformed", "The database file is damaged.", "Restore the latest backup; the file was left as it is."),
)
