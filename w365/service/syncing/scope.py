"""Whether a sync reads every customer whole, or only those that a record of changes names or the last one lacked."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from w365.errors import SourceChanged, SourceRefused
from w365.portals import Portal
from w365.portals.gaps import is_passing, may_be_filled
from w365.portals.protocol import Choose, TellsChanges
from w365.service import Service
from w365.source_records import Customer
from w365.store.configuring.settings import read_setting
from w365.store.db.engine import Connection
from w365.store.run_counts import GAPS, Count, Counts
from w365.store.runs import RunView
from w365.store.syncing.sync_history import ListedFacts, PastSync, read_listed, read_past_syncs

_OVERLAP = dt.timedelta(hours=1)
"""Records may appear late, and clocks differ."""

_NEXT_TIME = dt.timedelta(hours=12)
"""How long after a sync with gaps the next one only fills these; a daily one reads everything."""


@dataclass(frozen=True, slots=True)
class SyncKind:
    """``choose`` is None for a full sync. ``word`` is what the result of the run says about its kind."""

    choose: Choose | None = None
    word: Count | None = None

    @property
    def counts(self) -> Counts:
        return Counter([self.word] if self.word else [])


FULL = SyncKind()


def decide_kind(service: Service, portal: Portal, run: RunView, provider_id: int) -> SyncKind:
    """Choose by the settings, what the last syncs were, and what the provider's record of changes tells."""
    if not isinstance(portal, TellsChanges) or run.wants_full or run.cursor is not None:
        return FULL
    with service.store.read() as connection:
        since = _read_since(connection, run.target, service.clock())
        fills_gaps = _has_left_gaps(read_past_syncs(connection, run.target, service.clock() - _NEXT_TIME))
    if since is None:
        gaps = _Chooser(service, provider_id, frozenset(), may_be_filled)
        return SyncKind(gaps, Count.GAPS_ONLY) if fills_gaps else FULL
    try:
        changed_ids = portal.changed_since(since)
    except (SourceRefused, SourceChanged):
        return SyncKind(word=Count.NO_FEED)
    return SyncKind(
        _Chooser(service, provider_id, changed_ids, may_be_filled if fills_gaps else is_passing), Count.BY_CHANGES
    )


def _has_left_gaps(syncs: Sequence[PastSync]) -> bool:
    """Whether the last sync that is done was a full one with gaps; after one that filled gaps a full one is due."""
    last = next((sync for sync in syncs if sync.is_done), None)
    return last is not None and _is_full(last) and any(last.result.get(count) for count in GAPS)


def _is_full(sync: PastSync) -> bool:
    return not {Count.BY_CHANGES, Count.GAPS_ONLY} & sync.result.keys()


def _read_since(connection: Connection, provider: str, now: dt.datetime) -> dt.datetime | None:
    """From when on changes are to be read; None where a full sync is due."""
    if read_setting(connection, "change_feed") != "true":
        return None
    days = int(read_setting(connection, "full_sync_days"))
    syncs = read_past_syncs(connection, provider, now - dt.timedelta(days=days))
    done = [place for place, sync in enumerate(syncs) if sync.is_done and Count.GAPS_ONLY not in sync.result]
    if not any(_is_full(syncs[place]) for place in done):
        return None
    # What it may have gone on with was read before it began: what broke off between it and the one done before.
    together = syncs[done[0] : done[1] if len(done) > 1 else None]
    return min(sync.started_at for sync in together) - _OVERLAP


class _Chooser:
    """Of the customers a list names: those of these ids, those not stored as listed, those whose note ``is_due``."""

    def __init__(
        self, service: Service, provider_id: int, changed_ids: frozenset[str], is_due: Callable[[str], bool]
    ) -> None:
        self._service, self._provider_id = service, provider_id
        self._changed_ids, self._is_due = changed_ids, is_due

    def __call__(self, customers: Sequence[Customer]) -> list[Customer]:
        with self._service.store.read() as connection:
            stored = read_listed(connection, self._provider_id, [customer.specific_id for customer in customers])
        return [
            customer
            for customer in customers
            if customer.specific_id in self._changed_ids or self._is_wanted(customer, stored.get(customer.specific_id))
        ]

    def _is_wanted(self, customer: Customer, stored: ListedFacts | None) -> bool:
        return stored is None or self._is_due(stored.note) or _differs(customer, stored)


def _differs(customer: Customer, stored: ListedFacts) -> bool:
    listed = (customer.name, customer.default_domain, customer.relationship)
    return listed != (stored.name, stored.default_domain, stored.relationship)
