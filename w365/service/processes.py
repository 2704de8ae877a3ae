"""Which apps and workers are on the database: each says so, and one with another secret key does not begin."""

from __future__ import annotations

import datetime as dt
import hmac
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass

from w365 import __version__
from w365.errors import ConfigurationError
from w365.model import Actor, ProcessKind, Role
from w365.process_names import is_alive, name_process
from w365.service import Service
from w365.service.access import needs
from w365.store.db.engine import Connection
from w365.store.db.migrate import newest_schema, revision_of
from w365.store.processes import ProcessRow, list_processes, note_process

SILENT_AFTER = dt.timedelta(seconds=150)
"""Two signs of life of a process, and half a minute: without one for so long it is gone."""


def join_processes(service: Service, kind: ProcessKind) -> None:
    """Say that this process begins its work.

    Raises ConfigurationError where none of its secret keys is one of another process that lives: of what they sign
    and encrypt for each other and for browsers neither could read the other's.
    """
    process = _describe(service, kind)
    with service.store.write() as connection:
        for other in _living(connection, service.clock()):
            if other.name != process.name and not set(other.keys) & set(process.keys):
                raise _other_key(other)
        note_process(connection, process)


def say_alive(service: Service, kind: ProcessKind) -> None:
    with service.store.write_beside() as connection:
        note_process(connection, _describe(service, kind))


@dataclass(frozen=True, slots=True)
class Installation:
    """Version and schema of this process, the schema that the database has, and who else works on it."""

    version: str
    schema: str
    stored_schema: str | None
    processes: Sequence[ProcessRow]


@needs(Role.VIEWER)
def get_installation(service: Service, actor: Actor) -> Installation:
    with service.store.read() as connection:
        living = _living(connection, service.clock())
        return Installation(__version__, newest_schema(), revision_of(connection), living)


def machine_of(process: ProcessRow) -> str:
    return process.name.partition(" ")[0].partition("/")[0]


def _living(connection: Connection, now: dt.datetime) -> list[ProcessRow]:
    return [each for each in list_processes(connection, now - SILENT_AFTER) if is_alive(each.name) is not False]


def _describe(service: Service, kind: ProcessKind) -> ProcessRow:
    settings = service.settings
    keys = tuple(_digest(key) for key in (settings.secret_key, *settings.old_secret_keys))
    return ProcessRow(_name(), kind, __version__, newest_schema(), keys, service.clock())


def _name() -> str:
    return name_process() or f"{platform.node()} {os.getpid()}"


def _digest(key: str) -> str:
    return hmac.digest(key.encode(), b"which key", "sha256").hex()[:16]


def _other_key(other: ProcessRow) -> ConfigurationError:
    return ConfigurationError(
        f"The secret key of this process is another than that of the {other.kind} on {machine_of(other)}.",
        kept="Nothing was opened.",
        do="Set the same W365_SECRET_KEY for every app and worker of this database. If that process was ended, this "
        "one begins by itself within three minutes.",
        setting="W365_SECRET_KEY",
    )
