"""What one process keeps for the others: they may be on other machines, and share the database alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from w365.service import Service
from w365.store.active_runs import is_run_active
from w365.store.shared_files import forget_file, keep_file, list_older, read_file

KEPT = dt.timedelta(hours=1)
"""How long what nobody fetches is kept; the file of an import also while that waits or is under way."""

IMPORTS = "import/"


def share_file(service: Service, name: str, content: bytes, about: Mapping[str, Any]) -> None:
    """Keep a file for whichever process is asked for it; of two with one name the last stays."""
    with service.store.write_beside() as connection:
        forget_file(connection, name)
        keep_file(connection, name, service.clock(), content, about)


def fetch_file(service: Service, name: str) -> tuple[Mapping[str, Any], bytes] | None:
    """Give what a file is about, and its content; None where no process kept it, or not any more."""
    with service.store.read() as connection:
        return read_file(connection, name)


def forget_shared_file(service: Service, name: str) -> None:
    with service.store.write_beside() as connection:
        forget_file(connection, name)


def use_up(service: Service, name: str) -> bool:
    """Note that something was used; False where any process noted that before, within `KEPT`."""
    with service.store.write_beside() as connection:
        return keep_file(connection, name, service.clock())


def forget_old_files(service: Service) -> None:
    with service.store.read() as connection:
        old = [
            name
            for name in list_older(connection, service.clock() - KEPT)
            if not (name.startswith(IMPORTS) and is_run_active(connection, int(name.removeprefix(IMPORTS))))
        ]
    for name in old:
        forget_shared_file(service, name)
