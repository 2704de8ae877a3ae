"""For how long things are kept: what is due by the settings is shown before, and removed by the worker."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from w365.model import Actor, AuditKind, Kept, Role
from w365.service import Service
from w365.service.access import needs
from w365.store.configuring.settings import KEPT_FOR, check_setting, read_texts
from w365.store.people.audit_log import note_event
from w365.store.retention.due_rows import DueRows, count_due, remove_due

_log = logging.getLogger(__name__)

_DAYS_IN: Mapping[Kept, float] = {Kept.DECISIONS: 365.25}
"""What is counted in years; the rest in days."""
_KEEPER = Actor("retention", Role.ADMIN)


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long a kind is kept, in years for decisions, in days for the rest; 0 for ever. With what is due now."""

    kind: Kept
    limit: int
    due: DueRows

    @property
    def unit(self) -> str:
        return "years" if self.kind in _DAYS_IN else "days"


@needs(Role.ADMIN)
def preview_retention(service: Service, actor: Actor, limits: Mapping[str, str] | None = None) -> list[Keeping]:
    """Count what would be removed now, under other limits by the settings' names where some are given.

    Raises InputError for a limit that is none.
    """
    checked = {name: check_setting(name, value) for name, value in (limits or {}).items()}
    with service.store.read() as connection:
        texts = read_texts(connection) | checked
        return [
            Keeping(kind, limit, count_due(connection, kind, _cutoff(service, kind, limit)) if limit else _NOTHING)
            for kind, limit in ((kind, int(texts[name])) for kind, name in KEPT_FOR.items())
        ]


@needs(Role.ADMIN)
def remove_old(service: Service, actor: Actor) -> dict[Kept, int]:
    """Remove what is due, a thousand rows a transaction, and say how many rows of each kind that were."""
    with service.store.read() as connection:
        texts = read_texts(connection)
    limits = {kind: int(texts[name]) for kind, name in KEPT_FOR.items()}
    removed = {kind: _remove(service, kind, limit) for kind, limit in limits.items() if limit}
    removed = {kind: number for kind, number in removed.items() if number}
    if removed:
        told = ", ".join(f"{number:,} of {kind.replace('_', ' ')}" for kind, number in removed.items())
        with service.store.write() as connection:
            note_event(connection, actor.name, service.clock(), AuditKind.REMOVAL, f"kept long enough: {told}")
        _log.info("removed what was kept long enough: %s", told)
    return removed


def keep_removing(service: Service) -> None:
    """Do that in the name of the program."""
    remove_old(service, _KEEPER)


def _remove(service: Service, kind: Kept, limit: int) -> int:
    total, before = 0, _cutoff(service, kind, limit)
    while True:
        with service.store.write() as connection:
            number = remove_due(connection, kind, before)
        total += number
        if not number:
            return total


def _cutoff(service: Service, kind: Kept, limit: int) -> dt.datetime:
    """Give the moment before which things are due; as far back as a date can be where the limit is beyond that."""
    now = service.clock()
    try:
        return now - dt.timedelta(days=limit * _DAYS_IN.get(kind, 1))
    except OverflowError:
        return dt.datetime.min.replace(tzinfo=dt.UTC)


_NOTHING = DueRows(0, None)
