"""Open a database: SQLite file or PostgreSQL, one code.

Measured with SQLAlchemy's defaults on SQLite, 40 of 160 concurrent updates survived. Here every write transaction takes
the write lock at its start (`BEGIN IMMEDIATE`), and all 160 do.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from w365.errors import ConfigurationError, OtherVersion, StoreError
from w365.meters import WRITE_WAIT_SECONDS
from w365.own_files import find_network_system, make_folder, narrow_files, opener
from w365.store.db.failures import told
from w365.store.db.write_lock import Turns

__all__ = ["Connection", "Store", "open_store"]  # a service hands a connection on, without SQL of its own

BUSY_TIMEOUT_MS = 30_000
_LOOK_SECONDS = 0.004
_READING_CACHE, _WRITING_CACHE = -4_096, -65_536
"""Kilobytes of SQLite's own cache. Every connection of a pool keeps what it read; one writes at a time, and a match of
many rows goes back and forth in the file. Who writes page after page finds there what the page before left."""
_LOG_PAGES = 16_000
"""A commit that finds so many pages in the log moves them into the file; before that `tidy` has done it, which nobody
waits for. Moved at SQLite's own 1,000, it was two fifths of what a hundred changed contacts take."""
_SORTING_THREADS = 2
"""Who helps to sort what does not fit the cache. Sorted in files by two, evidence and proposals of 1,000,000 customers
took 12 s, in memory 17, and there they held all that was sorted at once."""
_KEPT_STATEMENTS = 32
"""Prepared statements that the driver keeps of a connection. One that asks for 5,000 numbers holds a megabyte: with the
driver's 128, a first sync of 9,000 accounts left 45 MiB behind."""
_WRITING = (("lock_timeout", str(BUSY_TIMEOUT_MS)), ("random_page_cost", "1.1"), ("work_mem", "'64MB'"))
"""Settings of a write transaction on PostgreSQL, of which there is one at a time.

The planner's usual costs are those of turning disks: with them it read whole tables to match a hundred changed rows,
measured at 100,000 provider accounts 199 ms instead of 27. With 4 MB of memory a full match is sorted on disk.
"""

_WRITE_LOCK = 365_001
"""Advisory lock on PostgreSQL, which gives it SQLite's rule of one write transaction at a time.

Without it two edits that concern the same grid row each write it from what they saw before the other's commit.
"""
_TAKE_TURN = "; ".join(
    [*(f"SET LOCAL {name} = {value}" for name, value in _WRITING), f"SELECT pg_advisory_xact_lock({_WRITE_LOCK})"]
)
"""One question to the server, not four."""


class Store:
    """A database with its two ways in: `read` sees one consistent state, `write` changes it or leaves it as it was."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"
        self._turns = Turns(engine.url.database if self.is_sqlite else None)
        self.schema: str | None = None
        """The schema that this code writes, once it was found or made; another is read as far as that goes."""

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        with told(), self.engine.connect() as plain:
            # PostgreSQL's default level would let each statement see another state.
            connection = plain if self.is_sqlite else plain.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def write_beside(self) -> Iterator[sa.Connection]:
        """Open a write transaction for rows that no other depends on: on PostgreSQL it waits for nobody."""
        if self.is_sqlite:
            with self.write() as connection:
                yield connection
        else:
            with told(), self.engine.begin() as connection:
                yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """Open a write transaction; no other is open until it ends."""
        asked = time.monotonic()
        with told(), self.engine.connect() as plain:
            connection = plain.execution_options(w365_write=True)
            with connection.begin():
                if not self.is_sqlite:
                    connection.exec_driver_sql(_TAKE_TURN, execution_options={"no_parameters": True})
                begin = time.monotonic()
                WRITE_WAIT_SECONDS.observe(begin - asked)
                self._refuse_other_schema(connection)
                yield connection
        self._turns.give(time.monotonic() - begin)

    def _refuse_other_schema(self, connection: sa.Connection) -> None:
        """Write nothing that another version, which changed the tables since, would not understand."""
        if self.schema is None:
            return
        schema = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        if schema != self.schema:
            raise OtherVersion(
                f"Another version of this program has changed the database (schema {schema}, and here {self.schema}).",
                kept="Nothing was written.",
                do="Reload the page in a moment; whoever runs this updates all its apps and workers.",
            )

    @property
    def url(self) -> str:
        """The address, with the password; for processes of our own."""
        return self.engine.url.render_as_string(hide_password=False)

    def keep_wal(self) -> None:
        """Let readers and one writer of a SQLite file work side by side; the file remembers it."""
        if self.is_sqlite:
            with told(), closing(self.engine.raw_connection()) as connection:
                connection.cursor().execute("PRAGMA journal_mode = WAL")

    def tidy(self) -> None:
        """Move what the log of a SQLite file holds into the file, beside readers and writers."""
        if self.is_sqlite:
            # What cannot be moved now is moved the next time.
            with (
                suppress(sa.exc.DatabaseError, sqlite3.DatabaseError),
                closing(self.engine.raw_connection()) as connection,
            ):
                connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")

    def narrow(self) -> list[str]:
        """Take the files of a SQLite database from everybody but their owner; a sentence for what stays open."""
        path = self.engine.url.database
        if not self.is_sqlite or not path:
            return []
        return narrow_files(Path(path + end) for end in ("", "-wal", "-shm", "-journal"))

    def warn_of_place(self) -> list[str]:
        """Say of a SQLite file on a network folder that it is none for it: its locks do not hold there."""
        path = self.engine.url.database
        kind = find_network_system(Path(path)) if self.is_sqlite and path else ""
        if not kind:
            return []
        what = f"The database {path} lies on a network folder ({kind}), where SQLite's locks may not hold."
        do = "Set W365_HOME to a folder of this machine, or W365_DATABASE_URL to a PostgreSQL database."
        return [f"{what} It is used as it is. {do}"]

    def close(self) -> None:
        self.engine.dispose()


def open_store(url: str) -> Store:
    """Open the database at `url` without creating or changing tables (see `w365.store.db.migrate`)."""
    try:
        parsed = sa.make_url(re.sub(r"^postgres(?=[:+])", "postgresql", url))  # as many services write it
    except sa.exc.ArgumentError:
        raise ConfigurationError(
            "W365_DATABASE_URL is not a database address.", do="Use sqlite:///… or postgresql://…"
        ) from None
    match parsed.get_backend_name():
        case "sqlite":
            return Store(_sqlite(parsed))
        case "postgresql":
            return Store(_postgresql(parsed))
        case other:
            raise ConfigurationError(f"W365_DATABASE_URL names {other}.", do="Use sqlite:///… or postgresql://…")


def _postgresql(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(url.set(drivername="postgresql+psycopg"), pool_pre_ping=True, pool_size=10)
    sa.event.listen(engine, "connect", _keep_no_statements_in_pooler)
    return engine


def _keep_no_statements_in_pooler(connection: Any, _record: object) -> None:
    """Prepare no statements where a pooler such as PgBouncer may hand each transaction to another server process.

    A pooler is known by telling a process of its own, where the server tells the one that answers.
    """
    (answering,) = connection.execute("SELECT pg_backend_pid()").fetchone()
    connection.rollback()
    if answering != connection.info.backend_pid:
        connection.prepare_threshold = None


def _sqlite(url: sa.URL) -> sa.Engine:
    if url.database and url.database != ":memory:":
        folder = Path(url.database).parent
        try:
            make_folder(folder)
        except OSError as error:
            raise StoreError(
                f"The folder {folder} cannot be made ({error.strerror}).", do="Check W365_DATABASE_URL or W365_HOME."
            ) from None
        _make_file(Path(url.database))
    engine = sa.create_engine(
        url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "cached_statements": _KEPT_STATEMENTS}
    )
    sa.event.listen(engine, "connect", _prepare)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _make_file(path: Path) -> None:
    """Make the file before SQLite does, which asks the umask; its log and the rest get the modes that it has."""
    with suppress(OSError), open(path, "xb", opener=opener):  # SQLite says why it cannot be made
        pass


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions are ours, see _begin
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    connection.execute(f"PRAGMA cache_size = {_READING_CACHE}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
    connection.execute(f"PRAGMA threads = {_SORTING_THREADS}")


def _begin(connection: sa.Connection) -> None:
    if not connection.get_execution_options().get("w365_write"):
        connection.exec_driver_sql(f"PRAGMA cache_size = {_READING_CACHE}")
        connection.exec_driver_sql("BEGIN")
        return
    plain = connection.connection.driver_connection
    assert plain is not None  # noqa: S101 - for the type checker
    plain.execute("PRAGMA busy_timeout = 0")
    try:
        if not _takes_lock(connection):
            _wait_for_lock(connection)
    finally:
        plain.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    plain.execute(f"PRAGMA cache_size = {_WRITING_CACHE}")


def _wait_for_lock(connection: sa.Connection) -> None:
    """Take the write lock, looking every few milliseconds, seen by whoever holds it (`Store.write`).

    SQLite's own wait looks ten times a second: two syncs that write page after page kept a third writer out for longer
    than its patience.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    with Turns(connection.engine.url.database).waiting():
        while time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
            if _takes_lock(connection):
                return
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _takes_lock(connection: sa.Connection) -> bool:
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    except sa.exc.OperationalError as error:
        if not _is_busy(error):
            raise
        return False
    return True


def _is_busy(error: sa.exc.OperationalError) -> bool:
    # The last byte says what kind of error it is. Of several that open one file at once, one recovers its log, and the
    # others are told SQLITE_BUSY_RECOVERY.
    cause = error.orig
    return isinstance(cause, sqlite3.OperationalError) and cause.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
