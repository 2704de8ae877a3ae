"""Whether a sync reads every customer whole, or only those that a provider's record of changes names."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from w365.errors import SourceChanged, SourceRefused
from w365.model import Customer, RunKind, RunState
from w365.portals import Portal
from w365.portals.details import PASSING
from w365.portals.protocol import Choose, TellsChanges
from w365.service import Service
from w365.store import tables as t
from w365.store.configuring.settings import read_setting
from w365.store.runs import RunView

BY_CHANGES = "by_changes"
"""In the result of a sync: 1 where it read only what the record of changes names, and what is new."""

NO_FEED = "no_feed"
"""In the result of a sync: 1 where that was wanted, but the provider's record of changes could not be read."""

_OVERLAP = dt.timedelta(hours=1)
"""Records may appear late, and clocks differ."""


@dataclass(frozen=True, slots=True)
class SyncKind:
    """``choose`` is None for a full sync. ``could_not`` says that a shorter one was wanted and refused."""

    choose: Choose | None = None
    could_not: bool = False

    def words(self) -> dict[str, int]:
        """What the result of the run says about it."""
        return ({BY_CHANGES: 1} if self.choose else {}) | ({NO_FEED: 1} if self.could_not else {})


FULL = SyncKind()


def decide_kind(service: Service, portal: Portal, run: RunView, provider_id: int) -> SyncKind:
    """Choose by the settings, what the last syncs were, and what the provider's record of changes tells."""
    if not isinstance(portal, TellsChanges) or run.wants_full or run.cursor is not None:
        return FULL
    with service.store.read() as connection:
        since = _since(connection, run.target, service.clock())
    if since is None:
        return FULL
    try:
        named = portal.changed_since(since)
    except (SourceRefused, SourceChanged):
        return SyncKind(could_not=True)
    return SyncKind(_Chooser(service, provider_id, named))


def _since(connection: sa.Connection, target: str, now: dt.datetime) -> dt.datetime | None:
    """From when on changes are to be read; None where a full sync is due."""
    if read_setting(connection, "change_feed") != "true":
        return None
    days = int(read_setting(connection, "full_sync_days"))
    run = t.Run
    mine = (run.kind == RunKind.SYNC, run.target == target, run.started_at > now - dt.timedelta(days=days))
    query = sa.select(run.state, run.started_at, run.result).where(*mine).order_by(run.id.desc())
    syncs = connection.execute(query).all()
    done = [place for place, row in enumerate(syncs) if row.state == RunState.DONE]
    if all(BY_CHANGES in syncs[place].result for place in done):
        return None
    # What it may have gone on with was read before it began: what broke off between it and the one done before.
    together = syncs[done[0] : done[1] if len(done) > 1 else None]
    earliest: dt.datetime = min(row.started_at for row in together)
    return earliest - _OVERLAP


class _Chooser:
    """Of the customers a list names: those that the record names, and those that are not stored as they are listed."""

    def __init__(self, service: Service, provider_id: int, named: frozenset[str]) -> None:
        self._service, self._provider_id, self._named = service, provider_id, named

    def __call__(self, customers: Sequence[Customer]) -> list[Customer]:
        pa = t.ProviderAccount
        query = sa.select(pa.specific_id, pa.name, pa.default_domain, pa.relationship, pa.note).where(
            pa.provider_id == self._provider_id,
            pa.gone_at.is_(None),
            pa.specific_id.in_([one.specific_id for one in customers]),
        )
        with self._service.store.read() as connection:
            stored = {row[0]: tuple(row[1:]) for row in connection.execute(query)}
        return [one for one in customers if one.specific_id in self._named or _differs(one, stored)]


def _differs(customer: Customer, stored: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether a customer is new, listed otherwise than stored, or met an error of the provider the last time."""
    *listed, note = stored.get(customer.specific_id, (None, ""))
    return listed != [customer.name, customer.default_domain, customer.relationship] or PASSING in note
