"""How good and how fast: the numbers of the Overview and Statistics pages, and of the downloads.

Definitions. *In scope*: provider accounts neither excluded nor gone (gone ones with a mapping count as mapped).
*Match rate*: mapped / in scope. *Backlog*: unmapped + conflict. *Blocked*: live subscriptions, and their seats, of the
backlog. *Manual effort*: decisions by hand / all mapping decisions.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median_low

import sqlalchemy as sa

from w365.matching.words import say_reason
from w365.model import Actor, DecisionKind, Origin, Reason, Role, Rule, Status
from w365.service import Service
from w365.service.access import require
from w365.store import tables as t
from w365.store.subscriptions import blocked_amount
from w365.store.worklist import Count, Filter, count_rows, counts

BACKLOG = (Status.UNMAPPED, Status.CONFLICT)

DEFINITIONS: dict[str, str] = {
    "In scope": "Provider accounts that are neither excluded nor gone; gone ones that are mapped stay in.",
    "Match rate": "Mapped provider accounts divided by those in scope.",
    "Backlog": "Provider accounts in scope that are unmapped or in conflict; parked ones are counted apart.",
    "Blocked seats": "Seats of live subscriptions whose provider account is in the backlog.",
    "Time to map": "Median time from the first sight of a provider account to its present mapping.",
    "By hand": "Share of mapping decisions that a person made.",
}


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts of provider accounts by status, and of the seats that wait for a mapping."""

    mapped: int
    conflict: int
    unmapped: int
    parked: int
    excluded: int
    blocked_seats: int

    @property
    def in_scope(self) -> int:
        return self.mapped + self.conflict + self.unmapped + self.parked

    @property
    def backlog(self) -> int:
        return self.conflict + self.unmapped

    @property
    def match_rate(self) -> float | None:
        """Between 0 and 1; None where nothing is in scope."""
        return self.mapped / self.in_scope if self.in_scope else None


@dataclass(frozen=True, slots=True)
class ProviderTotals:
    provider: str
    totals: Totals


@dataclass(frozen=True, slots=True)
class ReasonTotals:
    """How many rows of the backlog have a reason; `words` says it to people."""

    reason: Reason
    words: str
    accounts: int
    seats: int


@dataclass(frozen=True, slots=True)
class RuleTotals:
    """How many present mappings came from a rule, by hand, or otherwise."""

    source: str
    accounts: int


@dataclass(frozen=True, slots=True)
class HistoryPoint:
    run_id: int
    at: dt.datetime
    totals: Totals


@dataclass(frozen=True, slots=True)
class Statistics:
    at: dt.datetime
    totals: Totals
    blocked_subscriptions: int
    blocking: int
    by_provider: tuple[ProviderTotals, ...]
    by_reason: tuple[ReasonTotals, ...]
    by_source: tuple[RuleTotals, ...]
    history: tuple[HistoryPoint, ...]
    oldest_open: dt.datetime | None
    median_time_to_map: dt.timedelta | None
    by_hand: float | None
    changed: int
    new_this_week: int
    gone: int
    drifted: int


def read_statistics(service: Service, actor: Actor, *, history: int = 60) -> Statistics:
    """Read all numbers in one consistent state; `history` is the number of latest match runs to plot."""
    require(actor, Role.VIEWER)
    at = service.clock()
    with service.store.read() as connection:
        amounts = counts(connection)
        providers = sa.select(t.Provider.id, t.Provider.name).order_by(t.Provider.id)
        names = {row.id: row.name for row in connection.execute(providers)}
        pa = t.ProviderAccount
        blocked = blocked_amount(connection)
        return Statistics(
            at=at,
            totals=_totals(amounts),
            blocked_subscriptions=blocked.subscriptions,
            blocking=blocked.accounts,
            by_provider=tuple(
                ProviderTotals(name, _totals([one for one in amounts if one.provider_id == provider_id]))
                for provider_id, name in names.items()
            ),
            by_reason=_by_reason(amounts),
            by_source=_by_source(connection),
            history=_history(connection, history),
            oldest_open=_oldest_open(connection),
            median_time_to_map=_median_time_to_map(connection),
            by_hand=_by_hand(connection),
            changed=_count(connection, pa.changed_at >= at - dt.timedelta(days=7), pa.gone_at.is_(None)),
            new_this_week=_count(connection, pa.first_seen_at >= at - dt.timedelta(days=7)),
            gone=_count(connection, pa.gone_at.is_not(None)),
            drifted=count_rows(connection, Filter(drifted=True)),
        )


def count_backlog(service: Service, actor: Actor) -> int:
    """The number that stands on every page."""
    require(actor, Role.VIEWER)
    with service.store.read() as connection:
        return _totals(counts(connection)).backlog


def _totals(amounts: Iterable[Count]) -> Totals:
    by_status: Counter[Status] = Counter()
    seats = 0
    for one in amounts:
        by_status[one.status] += one.accounts
        seats += one.seats if one.status in BACKLOG else 0
    return Totals(
        by_status[Status.MAPPED],
        by_status[Status.CONFLICT],
        by_status[Status.UNMAPPED],
        by_status[Status.PARKED],
        by_status[Status.EXCLUDED],
        seats,
    )


def _by_reason(amounts: Sequence[Count]) -> tuple[ReasonTotals, ...]:
    accounts: Counter[Reason] = Counter()
    seats: Counter[Reason] = Counter()
    for one in amounts:
        if one.status in BACKLOG:
            accounts[one.reason] += one.accounts
            seats[one.reason] += one.seats
    return tuple(
        ReasonTotals(reason, say_reason(reason), count, seats[reason]) for reason, count in accounts.most_common()
    )


_SOURCES: tuple[tuple[Rule, str], ...] = (
    (Rule.TENANT_GUID, "Tenant GUID"),
    (Rule.CONTACT_DOMAIN, "Contact domain"),
    (Rule.ACCOUNT_EMAIL, "Account e-mail domain"),
    (Rule.ACCOUNT_WEBSITE, "Account website"),
)
_ORIGINS = {Origin.MANUAL: "By hand", Origin.PROVISIONED: "Provisioned", Origin.IMPORTED: "Imported"}


def _by_source(connection: sa.Connection) -> tuple[RuleTotals, ...]:
    """Count present mappings; an automatic one belongs to the first rule, in the rules' order, that supported it."""
    mapping, evidence = t.Mapping, t.DecisionEvidence
    totals = []
    earlier: list[Rule] = []

    def supported(rule: Rule) -> sa.ColumnElement[bool]:
        return sa.exists().where(evidence.decision_id == mapping.decision_id, evidence.rule == rule)

    count = sa.select(sa.func.count()).select_from(mapping)
    for rule, words in _SOURCES:
        query = count.where(mapping.origin == Origin.AUTO, supported(rule), *(~supported(one) for one in earlier))
        totals.append(RuleTotals(words, connection.scalar(query) or 0))
        earlier.append(rule)
    for origin, words in _ORIGINS.items():
        totals.append(RuleTotals(words, connection.scalar(count.where(mapping.origin == origin)) or 0))
    return tuple(one for one in totals if one.accounts)


def _history(connection: sa.Connection, limit: int) -> tuple[HistoryPoint, ...]:
    snapshot = t.Snapshot
    latest = sa.select(snapshot.run_id).distinct().order_by(snapshot.run_id.desc()).limit(limit).subquery()
    query = (
        sa.select(
            snapshot.run_id,
            t.Run.started_at,
            snapshot.provider_id,
            snapshot.status,
            snapshot.reason,
            snapshot.accounts,
            snapshot.seats,
        )
        .join(t.Run, t.Run.id == snapshot.run_id)
        .where(snapshot.run_id.in_(sa.select(latest.c.run_id)))
        .order_by(snapshot.run_id)
    )
    points: dict[int, tuple[dt.datetime, list[Count]]] = {}
    for row in connection.execute(query):
        amount = Count(row.provider_id, Status(row.status), Reason(row.reason), row.accounts, row.seats)
        points.setdefault(row.run_id, (row.started_at, []))[1].append(amount)
    return tuple(HistoryPoint(run_id, at, _totals(rows)) for run_id, (at, rows) in points.items())


def _oldest_open(connection: sa.Connection) -> dt.datetime | None:
    query = sa.select(sa.func.min(t.ProviderAccount.first_seen_at)).join(
        t.Worklist, t.Worklist.provider_account_id == t.ProviderAccount.id
    )
    return connection.scalar(query.where(t.Worklist.status.in_(BACKLOG), ~t.Worklist.is_gone))


def _median_time_to_map(connection: sa.Connection) -> dt.timedelta | None:
    """The median over present mappings; read as two columns because no median is common to both databases."""
    pa = t.ProviderAccount
    query = (
        sa.select(t.Decision.at, pa.first_seen_at)
        .join(t.Mapping, t.Mapping.decision_id == t.Decision.id)
        .join(pa, pa.id == t.Decision.provider_account_id)
    )
    waits = [row.at - row.first_seen_at for row in connection.execute(query)]
    return max(median_low(waits), dt.timedelta()) if waits else None


def _by_hand(connection: sa.Connection) -> float | None:
    decision = t.Decision
    query = sa.select(sa.func.count(), sa.func.count(sa.case((decision.run_id.is_(None), 1))))
    everything, by_hand = connection.execute(query.where(decision.kind == DecisionKind.MAP)).one()
    return by_hand / everything if everything else None


def _count(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(t.ProviderAccount).where(*where)) or 0
