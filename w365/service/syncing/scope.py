"""Whether a sync reads every customer whole, or only those that a provider's record of changes names."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from w365.errors import SourceChanged, SourceRefused
from w365.portals import Portal
from w365.portals.details import PASSING
from w365.portals.protocol import Choose, TellsChanges
from w365.service import Service
from w365.source_records import Customer
from w365.store.configuring.settings import read_setting
from w365.store.db.engine import Connection
from w365.store.run_counts import Count, Counts
from w365.store.runs import RunView
from w365.store.syncing.sync_history import ListedFacts, read_listed, read_past_syncs

_OVERLAP = dt.timedelta(hours=1)
"""Records may appear late, and clocks differ."""


@dataclass(frozen=True, slots=True)
class SyncKind:
    """``choose`` is None for a full sync. ``was_refused`` says that a shorter one was due and refused."""

    choose: Choose | None = None
    was_refused: bool = False

    @property
    def counts(self) -> Counts:
        """What the result of the run says about it."""
        return Counter([Count.BY_CHANGES] * bool(self.choose) + [Count.NO_FEED] * self.was_refused)


FULL = SyncKind()


def decide_kind(service: Service, portal: Portal, run: RunView, provider_id: int) -> SyncKind:
    """Choose by the settings, what the last syncs were, and what the provider's record of changes tells."""
    if not isinstance(portal, TellsChanges) or run.wants_full or run.cursor is not None:
        return FULL
    with service.store.read() as connection:
        since = _read_since(connection, run.target, service.clock())
    if since is None:
        return FULL
    try:
        changed_ids = portal.changed_since(since)
    except (SourceRefused, SourceChanged):
        return SyncKind(was_refused=True)
    return SyncKind(_Chooser(service, provider_id, changed_ids))


def _read_since(connection: Connection, provider: str, now: dt.datetime) -> dt.datetime | None:
    """From when on changes are to be read; None where a full sync is due."""
    if read_setting(connection, "change_feed") != "true":
        return None
    days = int(read_setting(connection, "full_sync_days"))
    syncs = read_past_syncs(connection, provider, now - dt.timedelta(days=days))
    done = [place for place, sync in enumerate(syncs) if sync.is_done]
    if all(Count.BY_CHANGES in syncs[place].result for place in done):
        return None
    # What it may have gone on with was read before it began: what broke off between it and the one done before.
    together = syncs[done[0] : done[1] if len(done) > 1 else None]
    return min(sync.started_at for sync in together) - _OVERLAP


class _Chooser:
    """Of the customers a list names: those that the record names, and those that are not stored as they are listed."""

    def __init__(self, service: Service, provider_id: int, changed_ids: frozenset[str]) -> None:
        self._service, self._provider_id, self._changed_ids = service, provider_id, changed_ids

    def __call__(self, customers: Sequence[Customer]) -> list[Customer]:
        with self._service.store.read() as connection:
            stored = read_listed(connection, self._provider_id, [customer.specific_id for customer in customers])
        return [
            customer
            for customer in customers
            if customer.specific_id in self._changed_ids or _differs(customer, stored.get(customer.specific_id))
        ]


def _differs(customer: Customer, stored: ListedFacts | None) -> bool:
    """Whether a customer is new, listed otherwise than stored, or met an error of the provider the last time."""
    if stored is None or PASSING in stored.note:
        return True
    listed = (customer.name, customer.default_domain, customer.relationship)
    return listed != (stored.name, stored.default_domain, stored.relationship)
