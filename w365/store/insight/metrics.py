"""Figures over many rows, each one statement: what mapped, how long it took, who worked, and how it was at a moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from w365.model import OPEN, DecisionKind, Origin, Rule, RunKind, Status
from w365.store import tables as t
from w365.store.deciding.supporting_rule import RULES, first_rule
from w365.store.insight.manual_decisions import is_by_hand
from w365.store.run_counts import Count


@dataclass(frozen=True, slots=True)
class DayOfWork:
    """How many decisions a person took on a day (UTC)."""

    actor: str
    day: dt.date
    decisions: int


@dataclass(frozen=True, slots=True)
class MappingDecisions:
    """How many decisions mapped a row: taken by a match, and taken by a person, whether there, imported or created."""

    by_match: int
    by_hand: int

    @property
    def share_by_hand(self) -> float | None:
        """Between 0 and 1; None where nothing was mapped."""
        everything = self.by_match + self.by_hand
        return self.by_hand / everything if everything else None


@dataclass(frozen=True, slots=True)
class ManualWork:
    """What was decided in a span of time. `people` decided by hand."""

    mapped: MappingDecisions
    unmapped: int
    by_hand: int
    people: int


@dataclass(frozen=True, slots=True)
class Moment:
    """A run that left a snapshot. `drifted` is None where the run did not count it yet."""

    run_id: int
    at: dt.datetime
    drifted: int | None


@dataclass(frozen=True, slots=True)
class StatusCount:
    """The provider accounts of a status, and the seats of their live subscriptions."""

    status: Status
    accounts: int
    seats: int


def count_mapped_by_source(connection: sa.Connection) -> dict[Rule | Origin, int]:
    """Count present mappings by the rule that supports an automatic one, or by their origin."""
    mapping = t.Mapping
    automatic = sa.select(first_rule().label("rank")).where(mapping.origin == Origin.AUTO).subquery()
    query = sa.select(automatic.c.rank, sa.func.count()).group_by(automatic.c.rank)
    mapped: dict[Rule | Origin, int] = {}
    for place, count in connection.execute(query):
        mapped[Origin.AUTO if place is None else RULES[place]] = count
    others = sa.select(mapping.origin, sa.func.count()).where(mapping.origin != Origin.AUTO).group_by(mapping.origin)
    mapped |= {Origin(origin): count for origin, count in connection.execute(others)}
    return mapped


def count_mapping_decisions(connection: sa.Connection) -> MappingDecisions:
    """Count all decisions that mapped a row, whether the mapping holds or not."""
    query = sa.select(*_mapping_counts()).where(t.Decision.kind == DecisionKind.MAP)
    return MappingDecisions(*connection.execute(query).one())


def _mapping_counts() -> tuple[sa.ColumnElement[int], sa.ColumnElement[int]]:
    """The counts of `MappingDecisions`."""
    decision = t.Decision
    is_map = decision.kind == DecisionKind.MAP
    by_match = sa.func.count(sa.case((sa.and_(is_map, decision.origin == Origin.AUTO), 1)))
    return by_match, sa.func.count(sa.case((sa.and_(is_map, decision.origin != Origin.AUTO), 1)))


def find_median_wait(
    connection: sa.Connection, start: dt.datetime | None = None, end: dt.datetime | None = None
) -> dt.timedelta | None:
    """Return the (lower) median time from first sight to mapping: of present mappings, or of those made in a span."""
    decision, pa = t.Decision, t.ProviderAccount
    waits = sa.select(_seconds(connection, decision.at) - _seconds(connection, pa.first_seen_at))
    if start is None or end is None:
        waits = waits.join_from(t.Mapping, decision, decision.id == t.Mapping.decision_id)
        count = sa.select(sa.func.count()).select_from(t.Mapping)
    else:
        made = (decision.kind == DecisionKind.MAP, decision.at >= start, decision.at < end)
        waits = waits.select_from(decision).where(*made)
        count = sa.select(sa.func.count()).select_from(decision).where(*made)
    number = connection.scalar(count) or 0
    waits = waits.join(pa, pa.id == decision.provider_account_id)
    seconds = connection.scalar(waits.order_by(sa.literal_column("1")).offset(max(number - 1, 0) // 2).limit(1))
    return None if seconds is None else max(dt.timedelta(seconds=int(seconds)), dt.timedelta())


def find_oldest_open(connection: sa.Connection) -> dt.datetime | None:
    """Return when the provider account that is open for longest was first seen."""
    pa, work = t.ProviderAccount, t.Worklist
    is_open = sa.exists().where(work.provider_account_id == pa.id, work.status.in_(OPEN), ~work.is_gone)
    return connection.scalar(sa.select(pa.first_seen_at).where(is_open).order_by(pa.first_seen_at).limit(1))


def count_work_by_day(connection: sa.Connection, since: dt.datetime) -> list[DayOfWork]:
    """Count what people decided by hand, per person and day."""
    decision = t.Decision
    day = _day(connection, decision.at).label("day")
    query = (
        sa.select(decision.actor, day, sa.func.count())
        .where(is_by_hand(), decision.at >= since)
        .group_by(decision.actor, day)
        .order_by(day, decision.actor)
    )
    return [DayOfWork(actor, dt.date.fromisoformat(on), count) for actor, on, count in connection.execute(query)]


def count_work(connection: sa.Connection, start: dt.datetime, end: dt.datetime) -> ManualWork:
    """Count the decisions from `start` up to, and without, `end`."""
    decision, by_hand = t.Decision, is_by_hand()
    query = sa.select(
        *_mapping_counts(),
        sa.func.count(sa.case((decision.kind == DecisionKind.UNMAP, 1))),
        sa.func.count(sa.case((by_hand, 1))),
        sa.func.count(sa.distinct(sa.case((by_hand, decision.actor)))),
    ).where(decision.at >= start, decision.at < end)
    by_match, mapped_by_hand, *others = connection.execute(query).one()
    return ManualWork(MappingDecisions(by_match, mapped_by_hand), *others)


def count_first_seen(connection: sa.Connection, start: dt.datetime, end: dt.datetime | None = None) -> int:
    """Count the provider accounts that were first seen from `start` on, and before `end` where there is one."""
    pa = t.ProviderAccount
    query = sa.select(sa.func.count()).select_from(pa).where(pa.first_seen_at >= start)
    return connection.scalar(query if end is None else query.where(pa.first_seen_at < end)) or 0


def count_changed(connection: sa.Connection, start: dt.datetime) -> int:
    """Count the provider accounts that are not gone and changed since then."""
    pa = t.ProviderAccount
    query = sa.select(sa.func.count()).select_from(pa).where(pa.changed_at >= start, pa.gone_at.is_(None))
    return connection.scalar(query) or 0


def list_moments(
    connection: sa.Connection,
    *,
    start: dt.datetime | None = None,
    end: dt.datetime | None = None,
    limit: int | None = None,
) -> list[Moment]:
    """List the runs that left a snapshot in a span, or the latest `limit` of them; the earliest first."""
    run = t.Run
    has_left_one = sa.exists().where(t.Snapshot.run_id == run.id)
    query = sa.select(run.id, run.started_at, run.result).where(run.kind == RunKind.MATCH, has_left_one)
    if start is not None:
        query = query.where(run.started_at >= start)
    if end is not None:
        query = query.where(run.started_at < end)
    rows = connection.execute(query.order_by(run.id.desc()).limit(limit)).all()
    return [Moment(row.id, row.started_at, row.result.get(Count.DRIFTED)) for row in reversed(rows)]


def read_statuses_at(connection: sa.Connection, run_ids: Sequence[int]) -> dict[int, list[StatusCount]]:
    """Read the snapshots of these runs, summed by status."""
    snapshot = t.Snapshot
    query = (
        sa.select(snapshot.run_id, snapshot.status, sa.func.sum(snapshot.accounts), sa.func.sum(snapshot.seats))
        .where(snapshot.run_id.in_(run_ids))
        .group_by(snapshot.run_id, snapshot.status)
    )
    counts: dict[int, list[StatusCount]] = {run_id: [] for run_id in run_ids}
    for run_id, status, accounts, seats in connection.execute(query):
        counts[run_id].append(StatusCount(Status(status), int(accounts), int(seats)))
    return counts


def _seconds(connection: sa.Connection, column: sa.orm.InstrumentedAttribute[dt.datetime]) -> sa.ColumnElement[int]:
    if connection.dialect.name == "sqlite":
        return sa.cast(sa.func.strftime("%s", column, type_=sa.Text()), sa.Integer)
    return sa.cast(sa.func.floor(sa.extract("epoch", column)), sa.BigInteger)


def _day(connection: sa.Connection, column: sa.orm.InstrumentedAttribute[dt.datetime]) -> sa.ColumnElement[str]:
    if connection.dialect.name == "sqlite":
        return sa.func.strftime("%Y-%m-%d", column, type_=sa.Text())
    return sa.func.to_char(sa.func.timezone("UTC", column), "YYYY-MM-DD", type_=sa.Text())
