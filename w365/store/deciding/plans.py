"""Plans: changes of many rows as they were previewed. What is confirmed later is these rows in these versions."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from w365.errors import NotFound
from w365.model import MatchPolicy
from w365.store import tables as t
from w365.store.deciding.batch import fill_batch
from w365.store.matching.evidence import KEPT_STATEMENTS, NO_VALUES, Values
from w365.store.matching.proposals import any_unique, must_not_share
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


def add_plan(  # noqa: PLR0913 - one argument a column, and the rows
    connection: sa.Connection,
    actor: str,
    at: dt.datetime,
    action: str,
    *,
    said: str,
    detail: dict[str, Any],
    rows: sa.Select[*tuple[Any, ...]],
    values: Values = NO_VALUES,
) -> int:
    """Freeze the selected rows under a new plan; `leave_changed` says next which of them it cannot change.

    `values` are what the selection asks for.
    """
    _forget_old(connection, at)
    plan = {"at": at, "actor": actor, "action": action, "said": said, "detail": detail}
    plan_id = int(connection.execute(_ADD, plan).scalar_one())
    wanted = rows.subquery()
    frozen = sa.select(sa.literal(plan_id, t.Id), *(wanted.c[name] for name in COLUMNS))
    connection.execute(sa.insert(t.PlanRow).from_select(["plan_id", *COLUMNS], frozen), values or None)
    return plan_id


def read_plan(connection: sa.Connection, plan_id: int) -> PlanView:
    """Read a plan; NotFound when it is no longer kept."""
    found = connection.execute(_ONE, {"plan": plan_id}).one_or_none()
    if found is None:
        raise NotFound("This preview is no longer kept.", kept="Nothing was changed.", do="Ask for it again.")
    left = {row[0]: row[1] for row in connection.execute(_BY_WHY, {"plan": plan_id})}
    would = left.pop("", 0)
    return PlanView(found.id, found.run_id, found.at, found.actor, found.action, found.said, found.detail, would, left)


def plan_of_run(connection: sa.Connection, run_id: int) -> PlanView | None:
    plan_id = connection.scalar(sa.select(t.Plan.id).where(t.Plan.run_id == run_id))
    return None if plan_id is None else read_plan(connection, plan_id)


def sample(connection: sa.Connection, plan_id: int, limit: int) -> Sequence[sa.Row[int, int | None, int | None]]:
    """Read the first (provider account, account, what is undone) that a plan changes."""
    return connection.execute(_SAMPLE, {"plan": plan_id, "most": limit}).all()


def drop_plan(connection: sa.Connection, plan_id: int) -> None:
    connection.execute(sa.delete(t.PlanRow).where(t.PlanRow.plan_id == plan_id))
    connection.execute(sa.delete(t.Plan).where(t.Plan.id == plan_id))


def bind(connection: sa.Connection, plan_id: int, run_id: int) -> None:
    connection.execute(sa.update(t.Plan).where(t.Plan.id == plan_id).values(run_id=run_id))


def part_end(connection: sa.Connection, plan_id: int, size: int) -> int | None:
    """Find the last of the next `size` provider accounts that are still to change; None when there is none."""
    end: int | None = connection.scalar(_PART_END, {"plan": plan_id, "most": size})
    return end


def take_part(connection: sa.Connection, plan_id: int, end: int) -> int:
    """Put the rows up to `end` that still wait into the batch and off the plan; return how many."""
    asked = {"plan": plan_id, "end": end}
    taken = fill_batch(connection, _PART, asked)
    connection.execute(_TAKE_PART, asked)
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
    is_part = end is not None
    asked = {"plan": plan_id, "end": end} if is_part else {"plan": plan_id}
    connection.execute(_leaving_changed(log, is_part=is_part), asked)
    connection.execute(_leaving_without_account(must_be_active=must_be_active, is_part=is_part), asked)
    if any_unique(connection, policy):
        connection.execute(_leaving_taken(policy, is_part=is_part), asked)
        connection.execute(_leaving_contested(policy), {"plan": plan_id})


# --- what is asked of the `plan`, of its rows up to an `end` where they are a part ---

_WAITING = sa.and_(t.PlanRow.plan_id == sa.bindparam("plan"), t.PlanRow.why_left == "")
_IN_PART = sa.and_(_WAITING, t.PlanRow.provider_account_id <= sa.bindparam("end"))

_ADD = sa.insert(t.Plan).returning(t.Plan.id)
_ONE = sa.select(t.Plan.id, t.Plan.run_id, t.Plan.at, t.Plan.actor, t.Plan.action, t.Plan.said, t.Plan.detail).where(
    t.Plan.id == sa.bindparam("plan")
)
_BY_WHY = (
    sa.select(t.PlanRow.why_left, sa.func.count())
    .where(t.PlanRow.plan_id == sa.bindparam("plan"))
    .group_by(t.PlanRow.why_left)
)
_FIRST = (
    sa.select(t.PlanRow.provider_account_id)
    .where(_WAITING)
    .order_by(t.PlanRow.provider_account_id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_SAMPLE = _FIRST.add_columns(t.PlanRow.account_id, t.PlanRow.undoes_id)
_PART_END = sa.select(sa.func.max(_FIRST.subquery().c.provider_account_id))
_PART = sa.select(
    t.PlanRow.provider_account_id, t.PlanRow.account_id, t.PlanRow.undoes_id, t.PlanRow.restores_id
).where(_IN_PART)
_TAKE_PART = sa.delete(t.PlanRow).where(_IN_PART)


@functools.cache
def _leaving_changed(log: Log, *, is_part: bool) -> sa.Update:
    row = t.PlanRow
    version = sa.select(sa.func.coalesce(sa.func.max(log.id), 0)).where(
        log.provider_account_id == row.provider_account_id
    )
    return _leaving("changed", row.version != version.scalar_subquery(), is_part=is_part)


@functools.cache
def _leaving_without_account(*, must_be_active: bool, is_part: bool) -> sa.Update:
    row, account = t.PlanRow, t.Account
    lost = sa.or_(account.is_deleted, ~account.is_active) if must_be_active else account.is_deleted
    is_lost = sa.exists().where(account.id == row.account_id, lost)
    return _leaving("account_gone", _gets(row), is_lost, is_part=is_part)


@functools.lru_cache(maxsize=KEPT_STATEMENTS)
def _leaving_taken(policy: MatchPolicy, *, is_part: bool) -> sa.Update:
    return _leaving("taken", t.PlanRow.provider_account_id.in_(_taken(policy)), is_part=is_part)


@functools.lru_cache(maxsize=KEPT_STATEMENTS)
def _leaving_contested(policy: MatchPolicy) -> sa.Update:
    return _leaving("contested", t.PlanRow.provider_account_id.in_(_contested(policy)), is_part=False)


def _leaving(why: str, *which: sa.ColumnElement[bool], is_part: bool) -> sa.Update:
    update = sa.update(t.PlanRow).where(_IN_PART if is_part else _WAITING, *which).values(why_left=why)
    return update.execution_options(synchronize_session=False)


def _gets(row: type[t.PlanRow]) -> sa.ColumnElement[bool]:
    """Whether the row would get an account that it has not."""
    mapping = sa.orm.aliased(t.Mapping)
    has = sa.select(mapping.account_id).where(mapping.provider_account_id == row.provider_account_id)
    return sa.and_(row.account_id.is_not(None), row.account_id.is_distinct_from(has.scalar_subquery()))


def _rows_that_get(row: type[t.PlanRow]) -> sa.Select[int]:
    """Select the waiting rows of the plan that get an account, with their provider."""
    pa, provider = t.ProviderAccount, t.Provider
    return (
        sa.select(row.provider_account_id)
        .join(pa, pa.id == row.provider_account_id)
        .join(provider, provider.id == pa.provider_id)
        .where(row.plan_id == sa.bindparam("plan"), row.why_left == "", _gets(row))
    )


def _taken(policy: MatchPolicy) -> sa.Select[int]:
    row = sa.orm.aliased(t.PlanRow)
    mapping, theirs = sa.orm.aliased(t.Mapping), sa.orm.aliased(t.ProviderAccount)
    holder = (
        sa.select(mapping.provider_account_id)
        .join(theirs, theirs.id == mapping.provider_account_id)
        .where(mapping.account_id == row.account_id, theirs.id != row.provider_account_id)
        .where(must_not_share(policy, theirs))
    )
    return _rows_that_get(row).where(sa.exists(holder.correlate(row, t.ProviderAccount, t.Provider)))


def _contested(policy: MatchPolicy) -> sa.Select[int]:
    """Select the rows that need an account for themselves which the plan gives to another one too."""
    row, other, theirs = (
        sa.orm.aliased(t.PlanRow),
        sa.orm.aliased(t.PlanRow),
        sa.orm.aliased(t.ProviderAccount),
    )
    rival = sa.and_(
        other.plan_id == sa.bindparam("plan"),
        other.why_left == "",
        other.account_id == row.account_id,
        other.provider_account_id != row.provider_account_id,
    )
    rows = _rows_that_get(row).join(other, rival).join(theirs, theirs.id == other.provider_account_id)
    return rows.where(must_not_share(policy, theirs)).distinct()


def _forget_old(connection: sa.Connection, at: dt.datetime) -> None:
    for statement in _FORGET_OLD:
        connection.execute(statement, {"kept_since": at - KEPT})


_IS_OLD = sa.and_(t.Plan.run_id.is_(None), t.Plan.at < sa.bindparam("kept_since"))
_FORGET_OLD = (
    sa.delete(t.PlanRow).where(t.PlanRow.plan_id.in_(sa.select(t.Plan.id).where(_IS_OLD))),
    sa.delete(t.Plan).where(_IS_OLD),
)
