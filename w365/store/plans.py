"""Plans: changes of many rows as they were previewed. What is confirmed later is these rows in these versions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from w365.errors import NotFound
from w365.model import MatchPolicy
from w365.store import tables as t
from w365.store.batch import fill_batch
from w365.store.matcher import any_unique, must_not_share
from w365.store.tables import Decision, OwnerChange

KEPT = dt.timedelta(days=1)
"""How long a plan that nobody confirmed is kept."""

Log = type[Decision] | type[OwnerChange]
"""Where the versions of a plan's rows come from: the latest id of the row in it."""

COLUMNS = ("provider_account_id", "version", "account_id", "undoes_id", "restores_id", "why_left")
"""What a plan's rows are selected by."""


@dataclass(frozen=True, slots=True)
class PlanView:
    """A plan: `would` counts the rows it changes, `left` those it leaves by why."""

    id: int
    run_id: int | None
    at: dt.datetime
    actor: str
    action: str
    said: str
    detail: dict[str, Any]
    would: int
    left: dict[str, int]


def add_plan(
    connection: sa.Connection,
    actor: str,
    at: dt.datetime,
    action: str,
    *,
    said: str,
    detail: dict[str, Any],
    rows: sa.Select[*tuple[Any, ...]],
) -> int:
    """Freeze the selected rows under a new plan; `leave_changed` says next which of them it cannot change."""
    _forget_old(connection, at)
    insert = sa.insert(t.Plan).values(at=at, actor=actor, action=action, said=said, detail=detail)
    plan_id = int(connection.execute(insert.returning(t.Plan.id)).scalar_one())
    wanted = rows.subquery()
    frozen = sa.select(sa.literal(plan_id, t.Id), *(wanted.c[name] for name in COLUMNS))
    connection.execute(sa.insert(t.PlanRow).from_select(["plan_id", *COLUMNS], frozen))
    return plan_id


def read_plan(connection: sa.Connection, plan_id: int) -> PlanView:
    """Read a plan; NotFound when it is no longer kept."""
    plan, row = t.Plan, t.PlanRow
    found = connection.execute(
        sa.select(plan.id, plan.run_id, plan.at, plan.actor, plan.action, plan.said, plan.detail).where(
            plan.id == plan_id
        )
    ).one_or_none()
    if found is None:
        raise NotFound("This preview is no longer kept.", kept="Nothing was changed.", do="Ask for it again.")
    by_why = sa.select(row.why_left, sa.func.count()).where(row.plan_id == plan_id).group_by(row.why_left)
    left = {found_row[0]: found_row[1] for found_row in connection.execute(by_why)}
    would = left.pop("", 0)
    return PlanView(found.id, found.run_id, found.at, found.actor, found.action, found.said, found.detail, would, left)


def plan_of_run(connection: sa.Connection, run_id: int) -> PlanView | None:
    plan_id = connection.scalar(sa.select(t.Plan.id).where(t.Plan.run_id == run_id))
    return None if plan_id is None else read_plan(connection, plan_id)


def sample(connection: sa.Connection, plan_id: int, limit: int) -> Sequence[sa.Row[int, int | None, int | None]]:
    """Read the first (provider account, account, what is undone) that a plan changes."""
    row = t.PlanRow
    query = sa.select(row.provider_account_id, row.account_id, row.undoes_id).where(_waiting(plan_id))
    return connection.execute(query.order_by(row.provider_account_id).limit(limit)).all()


def drop_plan(connection: sa.Connection, plan_id: int) -> None:
    connection.execute(sa.delete(t.PlanRow).where(t.PlanRow.plan_id == plan_id))
    connection.execute(sa.delete(t.Plan).where(t.Plan.id == plan_id))


def bind(connection: sa.Connection, plan_id: int, run_id: int) -> None:
    connection.execute(sa.update(t.Plan).where(t.Plan.id == plan_id).values(run_id=run_id))


def part_end(connection: sa.Connection, plan_id: int, size: int) -> int | None:
    """Find the last of the next `size` provider accounts that are still to change; None when there is none."""
    row = t.PlanRow
    first = sa.select(row.provider_account_id).where(_waiting(plan_id)).order_by(row.provider_account_id).limit(size)
    end: int | None = connection.scalar(sa.select(sa.func.max(first.subquery().c.provider_account_id)))
    return end


def take_part(connection: sa.Connection, plan_id: int, end: int) -> int:
    """Put the rows up to `end` that still wait into the batch and off the plan; return how many."""
    row = t.PlanRow
    mine = (_waiting(plan_id), row.provider_account_id <= end)
    taken = fill_batch(
        connection, sa.select(row.provider_account_id, row.account_id, row.undoes_id, row.restores_id).where(*mine)
    )
    connection.execute(sa.delete(row).where(*mine))
    return taken


def leave_changed(
    connection: sa.Connection,
    policy: MatchPolicy,
    plan_id: int,
    end: int | None = None,
    *,
    must_be_active: bool,
    log: Log = Decision,
) -> None:
    """Leave the rows up to `end` (all when None) that cannot be changed any more as they were previewed."""
    row, account = t.PlanRow, t.Account
    mine = [_waiting(plan_id)] if end is None else [_waiting(plan_id), row.provider_account_id <= end]
    version = sa.select(sa.func.coalesce(sa.func.max(log.id), 0)).where(
        log.provider_account_id == row.provider_account_id
    )
    _leave(connection, "changed", *mine, row.version != version.scalar_subquery())
    lost = sa.or_(account.is_deleted, ~account.is_active) if must_be_active else account.is_deleted
    _leave(connection, "account_gone", *mine, _gets(row), sa.exists().where(account.id == row.account_id, lost))
    if any_unique(connection, policy):
        _leave(connection, "taken", *mine, row.provider_account_id.in_(_taken(policy, plan_id)))
        _leave(connection, "contested", _waiting(plan_id), row.provider_account_id.in_(_contested(policy, plan_id)))


def _leave(connection: sa.Connection, why: str, *which: sa.ColumnElement[bool]) -> None:
    connection.execute(
        sa.update(t.PlanRow).where(*which).values(why_left=why).execution_options(synchronize_session=False)
    )


def _waiting(plan_id: int) -> sa.ColumnElement[bool]:
    return sa.and_(t.PlanRow.plan_id == plan_id, t.PlanRow.why_left == "")


def _gets(row: type[t.PlanRow]) -> sa.ColumnElement[bool]:
    """Whether the row would get an account that it has not."""
    mapping = sa.orm.aliased(t.Mapping)
    has = sa.select(mapping.account_id).where(mapping.provider_account_id == row.provider_account_id)
    return sa.and_(row.account_id.is_not(None), row.account_id.is_distinct_from(has.scalar_subquery()))


def _rows_that_get(plan_id: int, row: type[t.PlanRow]) -> sa.Select[int]:
    """Select the waiting rows of a plan that get an account, with their provider."""
    pa, provider = t.ProviderAccount, t.Provider
    return (
        sa.select(row.provider_account_id)
        .join(pa, pa.id == row.provider_account_id)
        .join(provider, provider.id == pa.provider_id)
        .where(row.plan_id == plan_id, row.why_left == "", _gets(row))
    )


def _taken(policy: MatchPolicy, plan_id: int) -> sa.Select[int]:
    row = sa.orm.aliased(t.PlanRow)
    mapping, theirs = sa.orm.aliased(t.Mapping), sa.orm.aliased(t.ProviderAccount)
    holder = (
        sa.select(mapping.provider_account_id)
        .join(theirs, theirs.id == mapping.provider_account_id)
        .where(mapping.account_id == row.account_id, theirs.id != row.provider_account_id)
        .where(must_not_share(policy, theirs))
    )
    return _rows_that_get(plan_id, row).where(sa.exists(holder.correlate(row, t.ProviderAccount, t.Provider)))


def _contested(policy: MatchPolicy, plan_id: int) -> sa.Select[int]:
    """Select the rows that need an account for themselves which the plan gives to another one too."""
    row, other, theirs = (
        sa.orm.aliased(t.PlanRow),
        sa.orm.aliased(t.PlanRow),
        sa.orm.aliased(t.ProviderAccount),
    )
    rival = sa.and_(
        other.plan_id == plan_id,
        other.why_left == "",
        other.account_id == row.account_id,
        other.provider_account_id != row.provider_account_id,
    )
    rows = _rows_that_get(plan_id, row).join(other, rival).join(theirs, theirs.id == other.provider_account_id)
    return rows.where(must_not_share(policy, theirs)).distinct()


def _forget_old(connection: sa.Connection, at: dt.datetime) -> None:
    old = sa.select(t.Plan.id).where(t.Plan.run_id.is_(None), t.Plan.at < at - KEPT)
    connection.execute(sa.delete(t.PlanRow).where(t.PlanRow.plan_id.in_(old)))
    connection.execute(sa.delete(t.Plan).where(t.Plan.run_id.is_(None), t.Plan.at < at - KEPT))
