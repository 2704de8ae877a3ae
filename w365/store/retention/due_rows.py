"""Rows whose time is over, and what goes with them. What others still need is not due, however old it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, aliased

from w365.model import Kept, RunKind, RunState
from w365.store import tables as t
from w365.store.db.bound_ids import IDS
from w365.store.db.bulk_insert import chunks

_BEFORE = sa.bindparam("before", type_=t.Run.requested_at.type)
_AT_ONCE = 1_000
"""So many rows go in one transaction, so that nobody waits for long."""


@dataclass(frozen=True, slots=True)
class DueRows:
    """How many rows of a kind are due, and when the oldest of them is from; None where there are none."""

    rows: int
    oldest: dt.datetime | None


@dataclass(frozen=True, slots=True)
class _Table:
    """The key of a table, when a row is from, which rows may go, and what deletes the parts of those with these IDS."""

    key: tuple[InstrumentedAttribute[Any], ...]
    at: InstrumentedAttribute[Any]
    may_go: tuple[sa.ColumnElement[bool], ...] = ()
    parts: tuple[sa.Delete, ...] = ()

    def select(self, *columns: Any) -> sa.Select[Any]:
        return sa.select(*columns).where(self.at < _BEFORE, *self.may_go)


def count_due(connection: sa.Connection, kind: Kept, before: dt.datetime) -> DueRows:
    """Count what is from before this moment and needed by nothing."""
    counted = [
        connection.execute(table.select(sa.func.count(), sa.func.min(table.at)), {"before": before}).one()
        for table in _TABLES[kind]
    ]
    return DueRows(sum(row[0] for row in counted), min((row[1] for row in counted if row[1]), default=None))


def remove_due(connection: sa.Connection, kind: Kept, before: dt.datetime) -> int:
    """Delete at most a thousand rows of a kind that are due, and say how many; 0 when none is left.

    What only a row that went had needed is due the next time.
    """
    for table in _TABLES[kind]:
        rows = connection.execute(table.select(*table.key).limit(_AT_ONCE), {"before": before}).all()
        if rows:
            _delete(connection, table, rows)
            return len(rows)
    return 0


def _parts(*columns: InstrumentedAttribute[Any]) -> tuple[sa.Delete, ...]:
    return tuple(sa.delete(column.class_).where(column.in_(IDS)) for column in columns)


def _delete(connection: sa.Connection, table: _Table, rows: Sequence[sa.Row[Any]]) -> None:
    for delete_parts in table.parts:
        connection.execute(delete_parts, {"ids": [row[0] for row in rows]})
    for some in chunks(rows):
        is_row = sa.tuple_(*table.key).in_([tuple(row) for row in some])
        connection.execute(sa.delete(table.key[0].class_).where(is_row))


# --- which rows nothing needs ---

_LATER_RUN, _LATER, _LATER_OWNER = aliased(t.Run), aliased(t.Decision), aliased(t.OwnerChange)
_ENDED_RUN = t.Run.ended_at.is_not(None)
_NEITHER_LATEST_NOR_NAMED = (
    _ENDED_RUN,
    # When a source was last read, and when all was last matched, is asked however long ago that was.
    sa.or_(
        t.Run.kind.in_((RunKind.BULK, RunKind.UNDO)),
        sa.exists().where(
            _LATER_RUN.kind == t.Run.kind,
            _LATER_RUN.target == t.Run.target,
            _LATER_RUN.id > t.Run.id,
            _LATER_RUN.state == RunState.DONE,
        ),
    ),
    *(
        ~sa.exists().where(column == t.Run.id)
        for column in (t.Decision.run_id, t.OwnerChange.run_id, t.Schedule.run_id)
    ),
)


def _is_of_row(table: type[t.Base], *columns: str) -> sa.ColumnElement[bool]:
    """Tell that a later decision of the row keeps one of these columns for an undo."""
    own: Any = table.__table__.c
    names_it = sa.or_(*(own[column] == t.Decision.id for column in columns))
    return sa.exists().where(
        _LATER.provider_account_id == t.Decision.provider_account_id,
        _LATER.id > t.Decision.id,
        own.decision_id == _LATER.id,
        names_it,
    )


def _stands(table: type[t.Base]) -> sa.ColumnElement[bool]:
    own: Any = table.__table__.c
    return sa.exists().where(
        own.provider_account_id == t.Decision.provider_account_id, own.decision_id == t.Decision.id
    )


_NEITHER_STANDING_NOR_TAKEN_BACK = (
    sa.exists().where(_LATER.provider_account_id == t.Decision.provider_account_id, _LATER.id > t.Decision.id),
    *(~_stands(table) for table in (t.Mapping, t.StandingOrder, t.Rejection)),
    ~_is_of_row(t.Undo, "undoes_id", "restores_id"),
    ~_is_of_row(t.StandingBefore, "mapping_decision_id", "order_decision_id"),
    ~_is_of_row(t.RejectionChange, "was_decision_id", "is_decision_id"),
)


def _exists_later_owner(*conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    of_row = _LATER_OWNER.provider_account_id == t.OwnerChange.provider_account_id
    return sa.exists().where(of_row, _LATER_OWNER.id > t.OwnerChange.id, *conditions)


_TABLES: Mapping[Kept, tuple[_Table, ...]] = {
    Kept.RUNS: (
        _Table(
            (t.Run.id,),
            t.Run.requested_at,
            _NEITHER_LATEST_NOR_NAMED,
            (
                sa.delete(t.PlanRow).where(t.PlanRow.plan_id.in_(sa.select(t.Plan.id).where(t.Plan.run_id.in_(IDS)))),
                *_parts(t.Plan.run_id, t.RunSeen.run_id, t.RunProblem.run_id, t.Snapshot.run_id, t.Notice.run_id),
            ),
        ),
    ),
    Kept.VISITS: (_Table((t.Visit.actor,), t.Visit.last_at),),
    Kept.NOTICES: (_Table((t.Notice.run_id, t.Notice.channel), t.Notice.try_at),),
    Kept.AUDIT_LOG: (
        _Table((t.AuditEntry.id,), t.AuditEntry.at),
        _Table((t.SettingChange.id,), t.SettingChange.at),
        _Table((t.Session.id,), t.Session.used_at),
        _Table((t.ServiceToken.id,), t.ServiceToken.expires_at),
    ),
    Kept.DECISIONS: (
        _Table(
            (t.Decision.id,),
            t.Decision.at,
            _NEITHER_STANDING_NOR_TAKEN_BACK,
            _parts(
                t.DecisionEvidence.decision_id,
                t.StandingBefore.decision_id,
                t.RejectionChange.decision_id,
                t.Undo.decision_id,
            ),
        ),
        _Table(
            (t.OwnerChange.id,),
            t.OwnerChange.at,
            (
                _exists_later_owner(),
                ~_exists_later_owner(t.OwnerChange.id.in_((_LATER_OWNER.undoes_id, _LATER_OWNER.restores_id))),
            ),
        ),
    ),
}
