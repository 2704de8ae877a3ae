"""Match: bring proposals up to date, map what is certain if Auto-Match is on, and leave a snapshot for the history."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from w365.model import Actor, Cardinality, DomainList, ListPart, Role, Status
from w365.service import Service
from w365.service.access import require
from w365.service.matching.candidates import make_candidates, order_candidates, order_elsewhere
from w365.store import tables as t
from w365.store.configuring.settings import put_domain, put_domains, put_provider_cardinality, put_settings, read_policy
from w365.store.db.bulk_insert import count_for_planner
from w365.store.matching.account_domains import fold_all
from w365.store.matching.dirty_rows import all_rows, touch, touched, touched_or_all
from w365.store.matching.pending_matches import count_ready, first_ready
from w365.store.matching.proposals import any_unique, auto_match, breaches
from w365.store.matching.refresh_derived import settle
from w365.store.reading.worklist import Filter, count_rows, counts
from w365.store.runs import Progress, RunView
from w365.store.syncing.expected_customers import map_expected


@dataclass(frozen=True, slots=True)
class WouldMap:
    """A mapping that the next match would write."""

    provider_account_id: int
    provider_account: str
    provider: str
    account_id: int
    account: str


@dataclass(frozen=True, slots=True)
class Preview:
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

    `added` are single domains for a list that otherwise stays.
    """

    settings: Mapping[str, str] = field(default_factory=dict)
    domains: Mapping[DomainList, tuple[str, ...]] = field(default_factory=dict)
    cardinalities: Mapping[int, Cardinality | None] = field(default_factory=dict)
    added: Mapping[DomainList, tuple[str, ...]] = field(default_factory=dict)

    def put(self, connection: sa.Connection, actor: Actor, at: dt.datetime) -> None:
        put_settings(connection, actor, at, self.settings)
        for which, texts in self.domains.items():
            put_domains(connection, actor, at, which, texts)
        for provider_id, value in self.cardinalities.items():
            put_provider_cardinality(connection, actor, at, provider_id, value)
        for which, texts in self.added.items():
            for text in texts:
                put_domain(connection, actor, at, which, text)


def make_change(service: Service, actor: Actor, change: PendingChange) -> None:
    """Make all of a change, or none of it."""
    require(actor, Role.ADMIN)
    with service.store.write() as connection:
        change.put(connection, actor, service.clock())


def run_match(service: Service, run: RunView, progress: Progress) -> dict[str, int]:
    """Match what was touched since the last time; return how many were mapped and how many rows have which status.

    A full match first makes the evidence of all accounts anew from what was read, and settles all rows. Proposals,
    mappings, decisions and grid rows change in one transaction, candidates afterwards, in small ones.
    """
    with service.store.write() as connection:
        policy = read_policy(connection)
        if run.wants_full:
            fold_all(connection)
            touch(connection, all_rows())
        _settle_touched(connection)
        mapped = map_expected(connection, policy, run.id, service.clock())
        mapped += auto_match(connection, policy, run.id, run.actor, service.clock())
        if mapped:
            _settle_mapped(connection, run.id)
        connection.execute(sa.delete(t.Touched))
        statuses = _leave_snapshot(connection, run.id)
        drifted = count_rows(connection, Filter(part=ListPart.DRIFTED))
        progress.report(connection, message="Looking for candidates")
    suggested = make_candidates(service, progress)
    return {"mapped": mapped, "suggested": suggested, **statuses, "drifted": drifted}


def preview_match(service: Service, actor: Actor, limit: int = 200) -> Preview:
    """Say what a match would do now, whether Auto-Match is on or off. Nothing is mapped."""
    require(actor, Role.VIEWER)
    settle_touched(service)
    with service.store.read() as connection:
        return _preview(connection, limit)


def _preview(connection: sa.Connection, limit: int) -> Preview:
    policy = read_policy(connection)
    conflicts = sum(one.accounts for one in counts(connection) if one.status is Status.CONFLICT)
    return Preview(
        policy.auto_match,
        count_ready(connection),
        conflicts,
        _named(connection, first_ready(limit), limit),
        _named(connection, breaches(policy), limit) if any_unique(connection, policy) else (),
    )


def _named(connection: sa.Connection, pairs: sa.Select[*tuple[Any, ...]], limit: int) -> tuple[WouldMap, ...]:
    """Read the first of these pairs of provider account and account with their names."""
    wanted = pairs.subquery()
    query = (
        sa.select(
            wanted.c.provider_account_id,
            t.ProviderAccount.name,
            t.Provider.name.label("provider"),
            wanted.c.account_id,
            t.Account.name.label("account"),
        )
        .join(t.ProviderAccount, t.ProviderAccount.id == wanted.c.provider_account_id)
        .join(t.Provider, t.Provider.id == t.ProviderAccount.provider_id)
        .join(t.Account, t.Account.id == wanted.c.account_id)
        .order_by(t.ProviderAccount.name_key, wanted.c.provider_account_id)
        .limit(limit)
    )
    return tuple(WouldMap(*row) for row in connection.execute(query))


def try_change(service: Service, actor: Actor, change: PendingChange, limit: int = 200) -> tuple[Preview, Preview]:
    """Say what a match would do now, and what it would do after a change of the settings. Nothing is kept of it.

    The change is made, looked at and taken back inside one transaction, so that it can be no guess.
    """
    require(actor, Role.ADMIN)
    before = preview_match(service, actor, limit)
    with service.store.write() as connection:
        attempt = connection.begin_nested()
        change.put(connection, actor, service.clock())
        _settle_touched(connection)
        after = _preview(connection, limit)
        attempt.rollback()
    return before, after


def settle_touched(service: Service) -> None:
    """Bring proposals up to date without mapping anything, so that what is shown agrees with the facts and settings."""
    with service.store.read() as connection:
        if connection.scalar(sa.select(t.Touched.provider_account_id).limit(1)) is None:
            return
    with service.store.write() as connection:
        _settle_touched(connection)
        connection.execute(sa.delete(t.Touched))


def _settle_touched(connection: sa.Connection) -> None:
    count_for_planner(connection, t.Touched)
    settle(connection, read_policy(connection), touched_or_all(connection))
    order_candidates(connection, touched())


def _settle_mapped(connection: sa.Connection, run_id: int) -> None:
    """After mapping: the grid rows of what was mapped, and under a unique policy the rows that lost to it."""
    mapped = sa.select(t.Decision.provider_account_id).where(t.Decision.run_id == run_id)
    settle(connection, read_policy(connection), mapped)
    order_elsewhere(connection, mapped)


def _leave_snapshot(connection: sa.Connection, run_id: int) -> dict[str, int]:
    rows = counts(connection)
    if rows:
        values = [
            {
                "run_id": run_id,
                "provider_id": one.provider_id,
                "status": one.status,
                "reason": one.reason,
                "accounts": one.accounts,
                "seats": one.seats,
            }
            for one in rows
        ]
        connection.execute(sa.insert(t.Snapshot), values)
    statuses: Counter[str] = Counter()
    for one in rows:
        statuses[one.status.value] += one.accounts
    return {status.value: statuses[status.value] for status in Status if status is not Status.MAPPED} | {
        "mapped_in_all": statuses[Status.MAPPED.value]
    }
