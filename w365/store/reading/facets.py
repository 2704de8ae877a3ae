"""Conditions on what the grid's rows do not hold themselves: owner, the best candidate's score, age, back from park.

Each is looked up by an index of its own and leaves the order of the rows to theirs.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from w365.model import DecisionKind
from w365.store import tables as t

_Condition = sa.ColumnElement[bool]


def facet_conditions(
    owner: str | None, scores: tuple[float, float] | None, since: dt.date | None, before: dt.date | None
) -> list[_Condition]:
    """Return the conditions on worklist rows; None does not filter."""
    row = t.Worklist.provider_account_id
    conditions: list[_Condition] = []
    if owner is not None:
        conditions.append(row.in_(_owned(owner)) if owner else row.not_in(_owned(None)))
    if scores is not None:
        conditions.append(_scored(*scores))
    if since is not None or before is not None:
        conditions.append(row.in_(_seen(since, before)))
    return conditions


def return_decisions() -> sa.Select[int]:
    """The decisions that brought a parked row back; while one is its row's latest, nobody decided since."""
    # The word is written out, or the planners leave the partial index.
    return sa.select(t.Decision.id).where(sa.text(f"decision.kind = '{DecisionKind.RETURN.value}'"))


def _owned(owner: str | None) -> sa.Select[int]:
    # An alias: the outer query reads the worklist too.
    work = sa.orm.aliased(t.Worklist, name="owned")
    query = sa.select(work.provider_account_id).where(sa.text("owned.owner <> ''"))
    return (query if owner is None else query.where(work.owner == owner)).correlate(None)


def _scored(lowest: float, below: float) -> _Condition:
    row, best = t.Worklist.provider_account_id, t.CurrentCandidate
    first = sa.select(best.provider_account_id).where(sa.text("candidate.rank = 1")).correlate(None)
    if lowest > 0:
        return row.in_(first.where(best.score >= lowest, best.score < below))
    return row.not_in(first.where(best.score >= below))


def _seen(since: dt.date | None, before: dt.date | None) -> sa.Select[int]:
    pa = t.ProviderAccount
    query = sa.select(pa.id).correlate(None)
    if since is not None:
        query = query.where(pa.first_seen_at >= midnight(since))
    return query if before is None else query.where(pa.first_seen_at < midnight(before))


def midnight(day: dt.date) -> dt.datetime:
    """Return when a day begins, in UTC."""
    return dt.datetime.combine(day, dt.time(), dt.UTC)
