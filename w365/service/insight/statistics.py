"""How good and how fast: the numbers of the Overview and Statistics pages, and of the downloads.

`DEFINITIONS` says what each means, here and on the page. Gone provider accounts without a mapping are counted nowhere.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from w365.matching.messages import say_reason
from w365.model import OPEN, Actor, ListPart, Origin, Reason, Role, Rule
from w365.service import Service
from w365.service.access import needs
from w365.service.insight.totals import HistoryPoint, Totals, read_points, sum_totals
from w365.service.memo import Remembered
from w365.store.db.engine import Connection
from w365.store.insight import metrics
from w365.store.reading.decision_log import latest_decision_id
from w365.store.reading.row_counts import StatusCount, count_rows, count_statuses
from w365.store.reading.worklist import Filter
from w365.store.syncing.providers import count_gone, read_provider_names

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
class CurrentStatistics:
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
class Statistics(CurrentStatistics):
    """The same with what all mappings and decisions say of the work that was done."""

    by_source: tuple[RuleTotals, ...]
    median_time_to_map: dt.timedelta | None
    by_hand: float | None


@needs(Role.VIEWER)
def read_current_statistics(service: Service, actor: Actor, *, history: int) -> CurrentStatistics:
    """Read how it stands in one consistent state; `history` is the number of latest match runs to plot."""
    with service.store.read() as connection:
        return CurrentStatistics(**_read_current(connection, service.clock(), history))


@needs(Role.VIEWER)
def read_statistics(service: Service, actor: Actor, *, history: int = 60) -> Statistics:
    """Read all numbers in one consistent state; `history` is as above."""
    with service.store.read() as connection:
        current = _read_current(connection, service.clock(), history)
        work = _WORK.at(service.store, latest_decision_id(connection), lambda: _read_work(connection))
        return Statistics(**current, **work)


def _read_current(connection: Connection, at: dt.datetime, history: int) -> dict[str, Any]:
    amounts = count_statuses(connection)
    backlog = [count for count in amounts if count.status in OPEN]
    last_week = at - dt.timedelta(days=7)
    return {
        "at": at,
        "totals": sum_totals(amounts),
        "blocked_subscriptions": sum(count.subscriptions for count in backlog),
        "blocking": sum(count.buying for count in backlog),
        "by_provider": _sum_by_provider(amounts, read_provider_names(connection)),
        "by_reason": _sum_by_reason(backlog),
        "history": tuple(read_points(connection, metrics.list_moments(connection, limit=history))),
        "oldest_open": metrics.find_oldest_open(connection),
        "changed": metrics.count_changed(connection, last_week),
        "new_this_week": metrics.count_first_seen(connection, last_week),
        "gone": sum(count_gone(connection).values()),
        "drifted": count_rows(connection, Filter(part=ListPart.DRIFTED)),
    }


def _read_work(connection: Connection) -> dict[str, Any]:
    return {
        "by_source": _read_by_source(connection),
        "median_time_to_map": metrics.find_median_wait(connection),
        "by_hand": metrics.count_mapping_decisions(connection).share_by_hand,
    }


_WORK: Remembered[dict[str, Any]] = Remembered()
"""These walk along all mappings and decisions, and change with a decision only."""


@needs(Role.VIEWER)
def count_backlog(service: Service, actor: Actor) -> int:
    """The number that stands on every page."""
    with service.store.read() as connection:
        return sum_totals(count_statuses(connection)).backlog


def _sum_by_provider(amounts: Sequence[StatusCount], names: Mapping[int, str]) -> tuple[ProviderTotals, ...]:
    """Sum the counts of each provider, also of one that has no accounts."""
    return tuple(
        ProviderTotals(name, sum_totals(count for count in amounts if count.provider_id == provider_id))
        for provider_id, name in names.items()
    )


def _sum_by_reason(backlog: Sequence[StatusCount]) -> tuple[ReasonTotals, ...]:
    """Sum the counts of each reason, the most frequent first."""
    accounts: Counter[Reason] = Counter()
    seats: Counter[Reason] = Counter()
    for count in backlog:
        accounts[count.reason] += count.accounts
        seats[count.reason] += count.seats
    return tuple(
        ReasonTotals(reason, say_reason(reason), amount, seats[reason]) for reason, amount in accounts.most_common()
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


def _read_by_source(connection: Connection) -> tuple[RuleTotals, ...]:
    """Count present mappings; an automatic one belongs to the first rule, in the rules' order, that supported it."""
    mapped = metrics.count_mapped_by_source(connection)
    return tuple(RuleTotals(words, mapped[source]) for source, words in SOURCE_WORDS.items() if mapped.get(source))
