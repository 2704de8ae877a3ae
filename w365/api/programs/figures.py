"""Decisions and statistics as programs get them. A released name stays."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Annotated

from w365.model import DecisionKind
from w365.service.insight.statistics import Statistics
from w365.service.insight.totals import Totals
from w365.store.reading.decision_log import DecisionView


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decided what about which provider account. Decisions are never changed."""

    id: Annotated[int, "Later ones have higher ids."]
    at: dt.datetime
    actor: str
    kind: DecisionKind
    provider_account: Annotated[int, "Its id."]
    old_account: Annotated[str | None, "The CRM id of the account before."]
    account: Annotated[str | None, "The CRM id of the account that was decided about."]
    origin: Annotated[str, "Of a mapping that was made; else empty."]
    reason: str
    run: Annotated[int | None, "The run that decided it."]
    undoes: Annotated[int | None, "The decision that it takes back."]
    evidence: Annotated[tuple[str, ...], "What spoke for it at that moment, in words."]


@dataclass(frozen=True, slots=True)
class Decisions:
    """A page, the oldest first. None is missed by whoever goes on at `next`."""

    items: tuple[Decision, ...]
    next: Annotated[int, "Ask with it as `since` for what comes after, now or at any later time."]
    has_more: Annotated[bool, "Whether something comes after already."]


def decision(view: DecisionView) -> Decision:
    return Decision(
        view.id,
        view.at,
        view.actor,
        view.kind,
        view.provider_account_id,
        view.old_account_crm_id or None,
        view.account_crm_id or None,
        view.origin,
        view.reason,
        view.run_id,
        view.undoes,
        view.evidence,
    )


@dataclass(frozen=True, slots=True)
class Count:
    """How many provider accounts are counted under a word."""

    word: str
    provider_accounts: int


@dataclass(frozen=True, slots=True)
class StatusCounts:
    """Provider accounts by status; gone ones that are not mapped are counted nowhere."""

    mapped: int
    conflict: int
    unmapped: int
    parked: int
    excluded: int
    match_rate: Annotated[float | None, "Mapped ones among all but excluded ones, from 0 to 1; null: there are none."]


@dataclass(frozen=True, slots=True)
class ProviderCounts:
    """The same of one provider."""

    provider: str
    provider_accounts: StatusCounts


@dataclass(frozen=True, slots=True)
class StatisticsNow:
    """How it stands, in one consistent state."""

    at: dt.datetime
    provider_accounts: StatusCounts
    by_provider: tuple[ProviderCounts, ...]
    by_reason: Annotated[tuple[Count, ...], "The backlog by its reasons."]
    by_source: Annotated[tuple[Count, ...], "Mappings by rule or origin, in words."]
    blocked_seats: int
    blocked_subscriptions: int
    oldest_open_at: Annotated[dt.datetime | None, "When the one that waits longest was first seen."]
    drifted: Annotated[int, "Mappings that the evidence no longer supports."]
    gone: int
    by_hand: Annotated[float | None, "The share of mapping decisions that people made."]
    median_seconds_to_map: float | None


def statistics(numbers: Statistics) -> StatisticsNow:
    wait = numbers.median_time_to_map
    return StatisticsNow(
        at=numbers.at,
        provider_accounts=_counts(numbers.totals),
        by_provider=tuple(ProviderCounts(each.provider, _counts(each.totals)) for each in numbers.by_provider),
        by_reason=tuple(Count(each.reason.value, each.accounts) for each in numbers.by_reason),
        by_source=tuple(Count(each.source, each.accounts) for each in numbers.by_source),
        blocked_seats=numbers.totals.blocked_seats,
        blocked_subscriptions=numbers.blocked_subscriptions,
        oldest_open_at=numbers.oldest_open,
        drifted=numbers.drifted,
        gone=numbers.gone,
        by_hand=numbers.by_hand,
        median_seconds_to_map=wait.total_seconds() if wait else None,
    )


def _counts(totals: Totals) -> StatusCounts:
    return StatusCounts(
        totals.mapped, totals.conflict, totals.unmapped, totals.parked, totals.excluded, totals.match_rate
    )
