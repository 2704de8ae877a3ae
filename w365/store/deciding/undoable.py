"""Which decisions can be taken back: those whose outcome still holds for their row.

An undo brings back the outcome of an earlier decision and names it. So the decision whose outcome holds is the latest
one, or the one that the latest, being an undo, restored.
"""

from __future__ import annotations

import datetime as dt
import functools
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from w365.model import DecisionKind, RunKind
from w365.store import tables as t

NOT_UNDONE = (DecisionKind.SYNC_OFF, DecisionKind.SYNC_ON)
"""These change nothing of what a customer is mapped to."""


@functools.cache
def targets_of_run() -> sa.Select[*tuple[Any, ...]]:
    """Select what undoing the decisions of the `undone` run would change, one line a provider account.

    (provider account, its version, account restored, decision undone, decision restored, why left).
    """
    return _targets(t.Decision.run_id == sa.bindparam("undone"))


@functools.cache
def targets_of_decision() -> sa.Select[*tuple[Any, ...]]:
    """Select the same of the `undone` decision."""
    return _targets(t.Decision.id == sa.bindparam("undone"))


def _targets(which: sa.ColumnElement[bool]) -> sa.Select[*tuple[Any, ...]]:
    decision, before = t.Decision, t.StandingBefore
    standing = _latest(decision.provider_account_id, decides=True)
    restores = _outcome(_latest(decision.provider_account_id, decision.id, decides=True))
    holds = sa.or_(standing == decision.id, _outcome(standing) == decision.id)  # what is restored is never an undo
    has_come = sa.and_(holds, decision.kind == DecisionKind.RETURN)
    why = sa.case((has_come, sa.literal("returned")), (holds, sa.literal("")), else_=sa.literal("changed"))
    return (
        sa.select(
            decision.provider_account_id,
            _latest(decision.provider_account_id).label("version"),
            before.account_id,
            decision.id.label("undoes_id"),
            restores.label("restores_id"),
            why.label("why_left"),
        )
        .outerjoin(before, before.decision_id == decision.id)
        .where(which, decision.kind.not_in(NOT_UNDONE))
    )


def list_holding(connection: sa.Connection, row: int) -> frozenset[int]:
    """Say which decisions of a row can be taken back."""
    return frozenset(connection.scalars(_holding(), {"row": row}))


@functools.cache
def _holding() -> sa.Select[int]:
    targets = _targets(t.Decision.provider_account_id == sa.bindparam("row")).subquery()
    return sa.select(targets.c.undoes_id).where(targets.c.why_left == "")


@dataclass(frozen=True, slots=True)
class Target:
    """What undoing a decision changes: the row, its account then, the decision that is restored; `why` it is left."""

    row: int
    account: int | None
    restores: int
    why: str


def read_target(connection: sa.Connection, decision_id: int) -> Target:
    """Read it of one decision that is there and can be undone at all."""
    target = connection.execute(targets_of_decision(), {"undone": decision_id}).one()
    return Target(target.provider_account_id, target.account_id, target.restores_id, target.why_left)


@dataclass(frozen=True, slots=True)
class Taken:
    """A decision that somebody took: of which row, what and by whom."""

    id: int
    row: int
    kind: DecisionKind
    actor: str


def read_decision(connection: sa.Connection, decision_id: int | None) -> Taken | None:
    decision = t.Decision
    columns = (decision.id, decision.provider_account_id, decision.kind, decision.actor)
    taken = connection.execute(sa.select(*columns).where(decision.id == decision_id)).one_or_none()
    return Taken(taken.id, taken.provider_account_id, DecisionKind(taken.kind), taken.actor) if taken else None


def last_of(connection: sa.Connection, actor: str) -> sa.Row[int, int | None, dt.datetime] | None:
    """The (decision, run, time) a person decided last and has not taken back; what runs matched is nobody's."""
    return connection.execute(_last_of(), {"who": actor}).one_or_none()


@functools.cache
def _last_of() -> sa.Select[int, int | None, dt.datetime]:
    decision, run = t.Decision, t.Run
    again = sa.orm.aliased(t.Undo)
    same_run = sa.orm.aliased(decision)
    stands = ~sa.exists().where(again.undoes_id == t.Undo.decision_id)
    is_undone = sa.exists().where(t.Undo.undoes_id == decision.id, stands)
    is_run_undone = sa.exists().where(same_run.run_id == decision.run_id, t.Undo.undoes_id == same_run.id, stands)
    return (
        sa.select(decision.id, decision.run_id, decision.at)
        .outerjoin(run, run.id == decision.run_id)
        .where(
            decision.actor == sa.bindparam("who"),
            decision.kind.not_in((DecisionKind.UNDO, *NOT_UNDONE)),
            sa.or_(run.kind.is_(None), run.kind.in_((RunKind.BULK, RunKind.MAPPING_IMPORT))),
            ~is_undone,
            ~is_run_undone,
        )
        .order_by(decision.id.desc())
        .limit(1)
    )


def _latest(
    provider_account_id: sa.SQLColumnExpression[int],
    before: sa.SQLColumnExpression[int] | None = None,
    *,
    decides: bool = False,
) -> sa.ScalarSelect[int]:
    """The latest decision of a row, or the latest that decides something about what it is mapped to."""
    other = sa.orm.aliased(t.Decision)
    query = sa.select(sa.func.coalesce(sa.func.max(other.id), 0)).where(
        other.provider_account_id == provider_account_id
    )
    query = query.correlate(t.Decision)  # from however deep it is asked
    if decides:
        query = query.where(other.kind.not_in(NOT_UNDONE))
    return (query if before is None else query.where(other.id < before)).scalar_subquery()


def _outcome(decision_id: sa.ScalarSelect[int]) -> sa.ColumnElement[int]:
    restored = sa.select(t.Undo.restores_id).where(t.Undo.decision_id == decision_id).scalar_subquery()
    return sa.func.coalesce(restored, decision_id)
