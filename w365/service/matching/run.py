"""Match: bring proposals up to date, map what is certain if Auto-Match is on, and leave a snapshot for the history."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from w365.model import Actor, Cardinality, DomainList, ListPart, MatchPolicy, Role, Status
from w365.service import Service
from w365.service.access import needs
from w365.service.matching.candidates import make_candidates
from w365.store.configuring.settings import (
    put_domain,
    put_domains,
    put_provider_cardinality,
    put_settings,
    put_text_proof,
    read_policy,
)
from w365.store.db.engine import Connection
from w365.store.deciding.decisions import auto_match, mapped_in_run
from w365.store.matching.account_domains import fold_all
from w365.store.matching.candidates import order_candidates, order_elsewhere
from w365.store.matching.dirty_rows import (
    all_rows,
    forget_touched,
    is_any_touched,
    touch_rows,
    touched_or_all,
    touched_rows,
)
from w365.store.matching.pending_matches import WouldMap, count_ready, list_breaching, list_ready
from w365.store.matching.refresh_derived import refresh_with_rivals
from w365.store.matching.unit_words import learn_all_units
from w365.store.reading.row_counts import count_rows, count_statuses
from w365.store.reading.snapshots import leave_snapshot
from w365.store.reading.worklist import Filter
from w365.store.run_counts import Count, Counts
from w365.store.runs import Progress, RunView

MapFirst = Callable[[Connection, MatchPolicy, int, dt.datetime], int]
"""Maps in the transaction of a match (policy, id of its run, now) what comes before the rules; returns how many."""


@dataclass(frozen=True, slots=True)
class MatchPreview:
    """What a match would do now; `mappings` holds the first of `total`.

    `breaching` are mappings that share their account against the policy: they are listed and stay (product rule 7).
    """

    auto_match: bool
    total: int
    conflicts: int
    mappings: tuple[WouldMap, ...]
    breaching: tuple[WouldMap, ...]


@dataclass(frozen=True, slots=True)
class PendingChange:
    """A change of what people set, not yet made: settings by name, exact domain lists, providers' policies by id.

    `added` are single domains for a list that otherwise stays; `text_proofs` say by provider whether free text proves.
    """

    settings: Mapping[str, str] = field(default_factory=dict)
    domains: Mapping[DomainList, tuple[str, ...]] = field(default_factory=dict)
    cardinalities: Mapping[int, Cardinality | None] = field(default_factory=dict)
    added: Mapping[DomainList, tuple[str, ...]] = field(default_factory=dict)
    text_proofs: Mapping[int, bool] = field(default_factory=dict)


def _put(connection: Connection, actor: Actor, change: PendingChange, at: dt.datetime) -> None:
    put_settings(connection, actor, at, change.settings)
    for which, texts in change.domains.items():
        put_domains(connection, actor, at, which, texts)
    for provider_id, value in change.cardinalities.items():
        put_provider_cardinality(connection, actor, at, provider_id, value)
    for provider_id, is_proof in change.text_proofs.items():
        put_text_proof(connection, actor, at, provider_id, is_proof=is_proof)
    for which, texts in change.added.items():
        for text in texts:
            put_domain(connection, actor, at, which, text)


@needs(Role.ADMIN)
def make_change(service: Service, actor: Actor, change: PendingChange) -> None:
    """Make all of a change, or none of it."""
    with service.store.write() as connection:
        _put(connection, actor, change, service.clock())


def run_match(service: Service, run: RunView, progress: Progress, *, map_first: MapFirst | None = None) -> Counts:
    """Match what was touched since the last time; return how many were mapped and how many rows have which status.

    A full match first makes the evidence of all accounts anew from what was read, and settles all rows. Proposals,
    mappings, decisions and grid rows change in one transaction, candidates afterwards, in small ones.
    """
    with service.store.write() as connection:
        policy = read_policy(connection)
        if run.wants_full:
            fold_all(connection)
            learn_all_units(connection)
            touch_rows(connection, all_rows())
        _refresh_touched(connection)
        mapped = map_first(connection, policy, run.id, service.clock()) if map_first else 0
        mapped += auto_match(connection, policy, run.id, run.actor, service.clock())
        if mapped:
            _refresh_mapped(connection, run.id)
        forget_touched(connection)
        statuses = _leave_snapshot(connection, run.id)
        drifted = count_rows(connection, Filter(part=ListPart.DRIFTED))
        progress.report(connection, message="Looking for candidates")
    suggested = make_candidates(service, progress)
    return Counter({Count.MAPPED: mapped, Count.SUGGESTED: suggested, **statuses, Count.DRIFTED: drifted})


@needs(Role.VIEWER)
def preview_match(service: Service, actor: Actor, limit: int = 200) -> MatchPreview:
    """Say what a match would do now, whether Auto-Match is on or off. Nothing is mapped."""
    refresh_touched(service)
    with service.store.read() as connection:
        return _preview(connection, limit)


def _preview(connection: Connection, limit: int) -> MatchPreview:
    policy = read_policy(connection)
    conflicts = sum(count.accounts for count in count_statuses(connection) if count.status is Status.CONFLICT)
    return MatchPreview(
        policy.auto_match,
        count_ready(connection),
        conflicts,
        list_ready(connection, limit),
        list_breaching(connection, policy, limit),
    )


@needs(Role.ADMIN)
def try_change(
    service: Service, actor: Actor, change: PendingChange, limit: int = 200
) -> tuple[MatchPreview, MatchPreview]:
    """Say what a match would do now, and what it would do after a change of the settings. Nothing is kept of it.

    The change is made, looked at and taken back inside one transaction, so that it can be no guess.
    """
    before = preview_match(service, actor, limit)
    with service.store.write() as connection:
        attempt = connection.begin_nested()
        _put(connection, actor, change, service.clock())
        _refresh_touched(connection)
        after = _preview(connection, limit)
        attempt.rollback()
    return before, after


def refresh_touched(service: Service) -> None:
    """Bring proposals up to date without mapping anything, so that what is shown agrees with the facts and settings."""
    with service.store.read() as connection:
        if not is_any_touched(connection):
            return
    with service.store.write() as connection:
        _refresh_touched(connection)
        forget_touched(connection)


def _refresh_touched(connection: Connection) -> None:
    refresh_with_rivals(connection, read_policy(connection), touched_or_all(connection))
    order_candidates(connection, touched_rows())


def _refresh_mapped(connection: Connection, run_id: int) -> None:
    """After mapping: the grid rows of what was mapped, and under a unique policy the rows that lost to it."""
    rows, values = mapped_in_run(), {"run": run_id}
    refresh_with_rivals(connection, read_policy(connection), rows, values)
    order_elsewhere(connection, rows, values)


def _leave_snapshot(connection: Connection, run_id: int) -> Counts:
    """Leave the counts after the match for the history, and sum them up by status."""
    rows = count_statuses(connection)
    leave_snapshot(connection, run_id, rows)
    statuses: Counter[Status] = Counter()
    for row in rows:
        statuses[row.status] += row.accounts
    mapped = {Count.MAPPED_IN_ALL: statuses.pop(Status.MAPPED, 0)}
    return Counter({Count(status): statuses[status] for status in Status if status is not Status.MAPPED} | mapped)
