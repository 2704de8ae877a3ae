"""How good and how fast: the numbers of the Overview and Statistics pages, and of the downloads.

`DEFINITIONS` says what each means, here and on the page. Gone provider accounts without a mapping are counted nowhere.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from w365.matching.messages import say_reason
from w365.model import OPEN, Actor, DecisionKind, ListPart, Origin, Reason, Role, Rule
from w365.service import Service
from w365.service.access import require
from w365.service.insight.totals import HistoryPoint, Totals, points, sum_totals
from w365.service.memo import Remembered
from w365.store import tables as t
from w365.store.insight.metrics import latest_decision, mapped_by, median_wait, moments, oldest_open
from w365.store.reading.worklist import Count, Filter, count_rows, counts

DEFINITIONS: dict[str, str] = {
    "In scope": "Provider accounts that are neither excluded nor gone; gone ones that are mapped stay in.",
    "Match rate": "Mapped provider accounts divided by those in scope.",
    "Backlog": "Provider accounts in scope that are unmapped or in conflict; parked ones are counted apart.",
    "Blocked seats": "Seats of live subscriptions whose provider account is in the backlog.",
    "Blocked subscriptions": "Live subscriptions whose provider account is in the backlog.",
    "Time to map": "Median time from the first sight of a provider account to its present mapping.",
    "By hand": "Share of mapping decisions that a person made, by hand, by import or when creating a customer.",
    "Oldest open": "How long the provider account that is in the backlog for longest has been known.",
    "Drifted": "Mappings whose account is gone, or that the evidence no longer supports. They stay as they are.",
    "Manual effort": (
        "Decisions by hand per person and week: on one row, or on many at once by a bulk action, an undo or an import."
    ),
    "Over time": "Each match, and every sync ends with one, leaves a snapshot: the counts as they stood then.",
}


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
class Standing:
    """How it stands: what is read from indexes of counts, however much there is."""

    at: dt.datetime
    totals: Totals
    blocked_subscriptions: int
    blocking: int
    by_provider: tuple[ProviderTotals, ...]
    by_reason: tuple[ReasonTotals, ...]
    history: tuple[HistoryPoint, ...]
    oldest_open: dt.datetime | None
    changed: int
    new_this_week: int
    gone: int
    drifted: int


@dataclass(frozen=True, slots=True)
class Statistics(Standing):
    """The same with what all mappings and decisions say of the work that was done."""

    by_source: tuple[RuleTotals, ...]
    median_time_to_map: dt.timedelta | None
    by_hand: float | None


def read_standing(service: Service, actor: Actor, *, history: int) -> Standing:
    """Read how it stands in one consistent state; `history` is the number of latest match runs to plot."""
    require(actor, Role.VIEWER)
    with service.store.read() as connection:
        return Standing(**_standing(connection, service.clock(), history))


def read_statistics(service: Service, actor: Actor, *, history: int = 60) -> Statistics:
    """Read all numbers in one consistent state; `history` is as above."""
    require(actor, Role.VIEWER)
    with service.store.read() as connection:
        standing = _standing(connection, service.clock(), history)
        work = _WORK.at(service.store, latest_decision(connection), lambda: _read_work(connection))
        return Statistics(**standing, by_source=work.by_source, median_time_to_map=work.median, by_hand=work.by_hand)


def _standing(connection: sa.Connection, at: dt.datetime, history: int) -> dict[str, Any]:
    amounts = counts(connection)
    backlog = [one for one in amounts if one.status in OPEN]
    providers = sa.select(t.Provider.id, t.Provider.name).order_by(t.Provider.id)
    pa = t.ProviderAccount
    return {
        "at": at,
        "totals": sum_totals(amounts),
        "blocked_subscriptions": sum(one.subscriptions for one in backlog),
        "blocking": sum(one.buying for one in backlog),
        "by_provider": tuple(
            ProviderTotals(row.name, sum_totals([one for one in amounts if one.provider_id == row.id]))
            for row in connection.execute(providers)
        ),
        "by_reason": _by_reason(amounts),
        "history": tuple(points(connection, moments(connection, limit=history))),
        "oldest_open": oldest_open(connection),
        "changed": _count(connection, pa.changed_at >= at - dt.timedelta(days=7), pa.gone_at.is_(None)),
        "new_this_week": _count(connection, pa.first_seen_at >= at - dt.timedelta(days=7)),
        "gone": _count(connection, pa.gone_at.is_not(None)),
        "drifted": count_rows(connection, Filter(part=ListPart.DRIFTED)),
    }


@dataclass(frozen=True, slots=True)
class _Work:
    by_source: tuple[RuleTotals, ...]
    median: dt.timedelta | None
    by_hand: float | None


def _read_work(connection: sa.Connection) -> _Work:
    return _Work(_by_source(connection), median_wait(connection), _by_hand(connection))


_WORK: Remembered[_Work] = Remembered()
"""These walk along all mappings and decisions, and change with a decision only."""


def count_backlog(service: Service, actor: Actor) -> int:
    """The number that stands on every page."""
    require(actor, Role.VIEWER)
    with service.store.read() as connection:
        return sum_totals(counts(connection)).backlog


def _by_reason(amounts: Sequence[Count]) -> tuple[ReasonTotals, ...]:
    accounts: Counter[Reason] = Counter()
    seats: Counter[Reason] = Counter()
    for one in amounts:
        if one.status in OPEN:
            accounts[one.reason] += one.accounts
            seats[one.reason] += one.seats
    return tuple(
        ReasonTotals(reason, say_reason(reason), count, seats[reason]) for reason, count in accounts.most_common()
    )


SOURCE_WORDS: Mapping[Rule | Origin, str] = {
    Rule.TENANT_GUID: "Tenant GUID",
    Rule.CONTACT_DOMAIN: "Contact domain",
    Rule.ACCOUNT_EMAIL: "Account e-mail domain",
    Rule.ACCOUNT_WEBSITE: "Account website",
    Origin.AUTO: "Auto-Match, evidence not kept",
    Origin.MANUAL: "By hand",
    Origin.PROVISIONED: "Provisioned",
    Origin.IMPORTED: "Imported",
}
"""By what mappings are counted, here and in the downloads."""


def _by_source(connection: sa.Connection) -> tuple[RuleTotals, ...]:
    """Count present mappings; an automatic one belongs to the first rule, in the rules' order, that supported it."""
    found = mapped_by(connection)
    return tuple(RuleTotals(words, found[source]) for source, words in SOURCE_WORDS.items() if found.get(source))


def _by_hand(connection: sa.Connection) -> float | None:
    decision = t.Decision
    query = sa.select(sa.func.count(), sa.func.count(sa.case((decision.origin != Origin.AUTO, 1))))
    everything, by_hand = connection.execute(query.where(decision.kind == DecisionKind.MAP)).one()
    return by_hand / everything if everything else None


def _count(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(t.ProviderAccount).where(*where)) or 0
