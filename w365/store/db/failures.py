"""What a database's refusals mean, in sentences: by PostgreSQL's five-letter code where there is one, or its words.

A connection that is not made has no code, only libpq's and the server's words.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from w365.errors import StoreError

_KEPT = "Nothing of this step was written; what was saved before is safe."
_AGAIN = "Try again in a moment."
_ADDRESS = "Correct W365_DATABASE_URL."
_SPACE = "Free some space, then try again."

Sentences = tuple[str, str]
"""What happened, and what to do."""

_FULL = "The disk is full.", _SPACE
_BUSY = "The database is busy with another change.", _AGAIN
_MANY = (
    "The PostgreSQL server has no connection left for this program.",
    "Try again in a moment; if it stays so, raise its max_connections or start fewer workers.",
)
_READ_ONLY = (
    "The PostgreSQL database can only be read: it is a standby, or was made read-only.",
    "Name the primary in W365_DATABASE_URL, with ?target_session_attrs=read-write where there are several hosts.",
)
_PRIVILEGE = (
    "The PostgreSQL user lacks a privilege that is needed",
    "Let its administrator GRANT it (to begin with, CREATE on a schema, which W365_DATABASE_SCHEMA may name).",
)
_NO_ANSWER = "The database did not answer.", "Try again."
_STOPPING = "The PostgreSQL server is stopping or was restarted.", _AGAIN
_GONE = "The PostgreSQL server cannot be reached.", "Check that it runs and W365_DATABASE_URL names it."

_BY_CODE: dict[str, Sentences] = {
    "42501": _PRIVILEGE,
    "3F000": ("The PostgreSQL database has no schema to put tables in.", "Set W365_DATABASE_SCHEMA to one."),
    "25006": _READ_ONLY,
    "53100": ("The disk of the PostgreSQL server is full.", _SPACE),
    "53200": ("The PostgreSQL server is out of memory.", _AGAIN),
    "53300": _MANY,
    "55P03": _BUSY,
    "40P01": _BUSY,
    "57P01": _STOPPING,
    "57P02": _STOPPING,
}

_OPTION = "invalid (connection option|port number|uri|integer|[a-z_]+ value)"

_BY_WORDS: tuple[tuple[str, Sentences], ...] = (
    ("is locked", _BUSY),
    ("lock timeout", _BUSY),
    ("no password supplied", ("The PostgreSQL server asks for a password, and none is set.", _ADDRESS)),
    ("password authentication", ("The PostgreSQL server refuses the user or password.", _ADDRESS)),
    ("authentication failed", ("The PostgreSQL server refuses the user or password.", _ADDRESS)),
    ('database "" does not exist', ("The PostgreSQL server has no database of that name.", _ADDRESS)),
    ('role "" does not exist', ("The PostgreSQL server does not know the user.", _ADDRESS)),
    ("too many (clients|connections)", _MANY),
    ("connection slots are reserved", _MANY),
    ("session is read-only", _READ_ONLY),
    (
        "no encryption",
        (
            "The PostgreSQL server does not admit this user without TLS.",
            "Add ?sslmode=require to W365_DATABASE_URL, or have the user admitted in its pg_hba.conf.",
        ),
    ),
    (
        "pg_hba.conf",
        (
            "The PostgreSQL server does not admit this user from this machine.",
            "Have it admitted in its pg_hba.conf.",
        ),
    ),
    (
        "does not support ssl",
        (
            "The PostgreSQL server has no TLS, and W365_DATABASE_URL asks for it.",
            "Switch TLS on there; only on a network of your own set sslmode=disable.",
        ),
    ),
    (
        "certificate (verify|file)|server certificate",
        (
            "The certificate of the PostgreSQL server is not trusted.",
            "Check the host's name and sslrootcert in W365_DATABASE_URL.",
        ),
    ),
    ("database system is shutting down", _STOPPING),
    ("database system is", ("The PostgreSQL server is starting.", _AGAIN)),
    ("not yet accepting", ("The PostgreSQL server is starting.", _AGAIN)),
    ("permission denied for database", _PRIVILEGE),
    (_OPTION, ("An option in W365_DATABASE_URL is not understood.", _ADDRESS)),
    (
        "failed to resolve host",
        ("The name of the PostgreSQL server leads nowhere.", "Correct the host in W365_DATABASE_URL, or the DNS."),
    ),
    ("could not translate host", ("The name of the PostgreSQL server leads nowhere.", _ADDRESS)),
    (
        "connection refused",
        (
            "Nothing answers at the PostgreSQL server's address and port.",
            "Start it, or correct host and port in W365_DATABASE_URL.",
        ),
    ),
    (
        "timeout expired",
        ("The PostgreSQL server did not answer in time.", "Check host, port and firewall, then try again."),
    ),
    ("closed the connection", ("The connection to the PostgreSQL server was lost.", _AGAIN)),
    ("connection is lost", ("The connection to the PostgreSQL server was lost.", _AGAIN)),
    ("connection", _GONE),
    ("disk is full", _FULL),
    (
        "disk i/o error",
        ("The disk is full, or it failed.", "Free some space and look at the disk, then try again."),
    ),
    (
        "readonly database",
        ("The database file cannot be written.", "Check the owner and mode of the file and its folder."),
    ),
    ("unable to open", ("The database file cannot be opened.", "Check W365_DATABASE_URL or W365_HOME.")),
    (
        "not a database",
        (
            "The file at the database's path is not a W365 database.",
            "Name another file; this one was left as it is.",
        ),
    ),
    ("malformed", ("The database file is damaged.", "Restore the latest backup; the file was left as it is.")),
)

_OURS = (sa.exc.IntegrityError, sa.exc.ProgrammingError, sa.exc.DataError)
"""Mistakes of this program, unless their code says otherwise."""


@contextmanager
def told() -> Iterator[None]:
    """Turn the driver's storage errors into sentences; programming errors pass."""
    try:
        yield
    except sa.exc.TimeoutError as error:
        what = "The database is busy: all connections to it are in use."
        raise StoreError(what, kept=_KEPT, do=_AGAIN, detail=str(error)) from error
    except (sa.exc.DatabaseError, sqlite3.OperationalError) as error:
        sentences = explain(error)
        if sentences is None:
            raise
        what, do = sentences
        raise StoreError(what, kept=_KEPT, do=do, detail=_words_of(error)) from error


def explain(error: sa.exc.DatabaseError | sqlite3.OperationalError) -> Sentences | None:
    """Say what a failure means and what to do; None for a mistake of this program."""
    words = _words_of(error)
    if sentences := _BY_CODE.get(getattr(getattr(error, "orig", None), "sqlstate", None) or ""):
        what, do = sentences
        return (f"{what} ({words.partition(chr(10))[0]}).", do) if sentences is _PRIVILEGE else sentences
    text = re.sub('"[^"]*"', '""', words.lower())  # names may be any words
    if isinstance(error, _OURS) and not re.search(_OPTION, text):
        return None
    return next((meaning for sign, meaning in _BY_WORDS if re.search(sign, text)), _NO_ANSWER)


def _words_of(error: sa.exc.DatabaseError | sqlite3.OperationalError) -> str:
    """What the driver says, without the statement and its values."""
    return str(error.orig if isinstance(error, sa.exc.DatabaseError) else error)
