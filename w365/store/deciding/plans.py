"""Plans: changes of many rows as they were previewed. What is confirmed later is these rows in these versions."""

from __future__ import annotations

import datetime as dt
import enum
import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from w365.errors import NotFound
from w365.model import Cardinality, DecisionKind, MatchPolicy
from w365.store import tables as t
from w365.store.db.bulk_insert import upsert
from w365.store.matching.cardinality import any_unique, is_taken, must_not_share
from w365.store.matching.evidence import NO_VALUES, Values
from w365.store.tables import Decision, OwnerChange

KEPT = dt.timedelta(days=1)
"""How long a plan that nobody confirmed is kept."""


class Terms(enum.Enum):
    """On what terms rows get an account: from a person one by one, many at once, or back by an undo."""

    BY_HAND = enum.auto()
    BULK = enum.auto()
    UNDO = enum.auto()


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
    title: str
    detail: dict[str, Any]
    would: int
    left: dict[str, int]


@dataclass(frozen=True, slots=True)
class Left:
    """A row that a plan leaves: why, and where it was changed since who did what, when; `owner` where they gave it."""

    provider_account_id: int
    provider_account: str
    provider: str
    why: str
    by: str = ""
    kind: DecisionKind | None = None
    at: dt.datetime | None = None
    owner: str | None = None


def add_plan(
    connection: sa.Connection,
    actor: str,
    at: dt.datetime,
    action: str,
    *,
    title: str,
    detail: dict[str, Any],
    rows: sa.Select[*tuple[Any, ...]] | None = None,
    values: Values = NO_VALUES,
) -> int:
    """Freeze the selected rows under a new plan; `leave_changed` says next which of them it cannot change.

    `values` are what the selection asks for.
    """
    # Previews that nobody confirmed are forgotten when the next one is made.
    _forget_old(connection, at)
    plan = {"at": at, "actor": actor, "action": action, "title": title, "detail": detail}
    plan_id = int(connection.execute(_ADD, plan).scalar_one())
    if rows is None:
        return plan_id
    planned = rows.subquery()
    frozen = sa.select(sa.literal(plan_id, t.Id), *(planned.c[name] for name in COLUMNS))
    connection.execute(sa.insert(t.PlanRow).from_select(["plan_id", *COLUMNS], frozen), values or None)
    return plan_id


def add_rows(connection: sa.Connection, plan_id: int, rows: Sequence[tuple[int, int, int]]) -> None:
    """Add rows to change: (provider account, its version, account to map it to)."""
    upsert(connection, t.PlanRow, ("plan_id", *COLUMNS), [(plan_id, *row, None, None, "") for row in rows])


def read_plan(connection: sa.Connection, plan_id: int) -> PlanView:
    """Read a plan; NotFound when it is no longer kept."""
    plan = connection.execute(_ONE, {"plan": plan_id}).one_or_none()
    if plan is None:
        raise NotFound("This preview is no longer kept.", kept="Nothing was changed.", do="Ask for it again.")
    left = {row[0]: row[1] for row in connection.execute(_BY_WHY, {"plan": plan_id})}
    would = left.pop("", 0)
    return PlanView(plan.id, plan.run_id, plan.at, plan.actor, plan.action, plan.title, plan.detail, would, left)


def plan_of_run(connection: sa.Connection, run_id: int) -> PlanView | None:
    plan_id = connection.scalar(sa.select(t.Plan.id).where(t.Plan.run_id == run_id))
    return None if plan_id is None else read_plan(connection, plan_id)


def read_sample(connection: sa.Connection, plan_id: int, limit: int) -> Sequence[sa.Row[int, int | None, int | None]]:
    """Read the first (provider account, account, what is undone) that a plan changes."""
    return connection.execute(_SAMPLE, {"plan": plan_id, "most": limit}).all()


def account_names(connection: sa.Connection, ids: Iterable[int | None]) -> dict[int | None, str]:
    """Name accounts; "" for none."""
    account = t.Account
    query = sa.select(account.id, account.name).where(
        account.id.in_([each_id for each_id in ids if each_id is not None])
    )
    return {None: "", **{row.id: row.name for row in connection.execute(query)}}


def read_stake(connection: sa.Connection, plan_id: int) -> tuple[int, int]:
    """Count the live seats and subscriptions of the rows that a plan changes."""
    work, row = t.Worklist, t.PlanRow
    stake = sa.select(sa.func.sum(work.seats), sa.func.sum(work.subscriptions)).where(
        work.provider_account_id == row.provider_account_id, row.plan_id == plan_id, row.why_left == ""
    )
    seats, subscriptions = connection.execute(stake).one()
    return int(seats or 0), int(subscriptions or 0)


def read_left(connection: sa.Connection, plan_id: int, log: Log, limit: int) -> list[Left]:
    """Read the first rows that a plan leaves, those that somebody changed before the others."""
    row, pa, other = t.PlanRow, t.ProviderAccount, sa.orm.aliased(log)
    of_row = other.provider_account_id == row.provider_account_id
    latest = sa.select(sa.func.max(other.id)).where(of_row).correlate(row).scalar_subquery()
    to_what = t.Decision.kind if log is Decision else t.OwnerChange.owner
    query = (
        sa.select(pa.id, pa.name, t.Provider.name, row.why_left, log.actor, log.at, to_what)
        .select_from(row)
        .join(pa, pa.id == row.provider_account_id)
        .join(t.Provider, t.Provider.id == pa.provider_id)
        .outerjoin(log, sa.and_(log.id == latest, row.why_left == "changed"))
        .where(row.plan_id == plan_id, row.why_left != "")
        .order_by(row.why_left != "changed", pa.name_key, pa.id)
    )
    return [_left(log, columns) for columns in connection.execute(query.limit(limit))]


def _left(log: Log, columns: Sequence[Any]) -> Left:
    row, name, provider, why, by, at, to_what = columns
    left = Left(row, name, provider, why, by or "", at=at)
    if to_what is None:
        return left
    return replace(left, kind=DecisionKind(to_what)) if log is Decision else replace(left, owner=to_what)


def drop_plan(connection: sa.Connection, plan_id: int) -> None:
    connection.execute(sa.delete(t.PlanRow).where(t.PlanRow.plan_id == plan_id))
    connection.execute(sa.delete(t.Plan).where(t.Plan.id == plan_id))


def bind_run(connection: sa.Connection, plan: PlanView, run_id: int) -> None:
    """Let a run do a plan; it shows how many rows there are to do."""
    connection.execute(sa.update(t.Plan).where(t.Plan.id == plan.id).values(run_id=run_id))
    connection.execute(sa.update(t.Run).where(t.Run.id == run_id).values(total=plan.would))


def part_end(connection: sa.Connection, plan_id: int, size: int) -> int | None:
    """Find the last of the next `size` provider accounts that are still to change; None when there is none."""
    end: int | None = connection.scalar(_PART_END, {"plan": plan_id, "most": size})
    return end


def drop_part(connection: sa.Connection, plan_id: int, end: int) -> int:
    """Forget the rows up to `end` that waited, once they are changed; return how many."""
    return connection.execute(_DROP_PART, {"plan": plan_id, "end": end}).rowcount


def leave_changed(
    connection: sa.Connection,
    policy: MatchPolicy,
    plan_id: int,
    end: int | None = None,
    *,
    terms: Terms,
    log: Log = Decision,
) -> None:
    """Leave the rows up to `end` (all when None) that cannot be changed any more as they were previewed."""
    is_part, is_unique = end is not None, any_unique(connection, policy)
    for statement in _leaving(log, terms, policy.cardinality if is_unique else None, is_part=is_part):
        connection.execute(statement, {"plan": plan_id, "end": end})


def why_left(policy: MatchPolicy, row: type[t.PlanRow], terms: Terms) -> sa.ColumnElement[str]:
    """Say the same of a row that need not be stored, for a query on it with its provider account and provider."""
    taken = sa.and_(_gets(row, terms), is_taken(policy.cardinality, row.account_id, row.provider_account_id))
    return sa.case(
        (_is_changed(row, Decision), sa.literal("changed")),
        (_is_lost(row, terms), sa.literal("account_gone")),
        (taken, sa.literal("taken")),
        else_=sa.literal(""),
    )


# --- what is asked of the `plan`, of its rows up to an `end` where they are a part ---

_WAITING = sa.and_(t.PlanRow.plan_id == sa.bindparam("plan"), t.PlanRow.why_left == "")
_IN_PART = sa.and_(_WAITING, t.PlanRow.provider_account_id <= sa.bindparam("end"))

_ADD = sa.insert(t.Plan).returning(t.Plan.id)
_ONE = sa.select(t.Plan.id, t.Plan.run_id, t.Plan.at, t.Plan.actor, t.Plan.action, t.Plan.title, t.Plan.detail).where(
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
PART = sa.select(t.PlanRow.provider_account_id, t.PlanRow.account_id, t.PlanRow.undoes_id, t.PlanRow.restores_id).where(
    _IN_PART
)
"""The rows of a `plan` up to an `end` that are still to change."""

# The largest id that a 64-bit column holds.
_NO_END = 2**63 - 1


def whole(plan_id: int) -> Values:
    """What `PART` asks for where it is all of a plan."""
    return {"plan": plan_id, "end": _NO_END}


_DROP_PART = sa.delete(t.PlanRow).where(_IN_PART)


@functools.cache
def _leaving(log: Log, terms: Terms, default: Cardinality | None, *, is_part: bool) -> tuple[sa.Update, ...]:
    """What is left for which reason; no account is taken or contested where no policy is a unique one (None)."""
    row, some = t.PlanRow, _IN_PART if is_part else _WAITING
    left = [(some, "changed", _is_changed(row, log)), (some, "account_gone", _is_lost(row, terms))]
    if default is not None:
        left.append((some, "taken", row.provider_account_id.in_(_taken(default, terms))))
        # in all parts at once, or of two rows that both need an account the second would get it
        left.append((_WAITING, "contested", row.provider_account_id.in_(_contested(default, terms))))
    return tuple(
        sa.update(row).where(which, when).values(why_left=why).execution_options(synchronize_session=False)
        for which, why, when in left
    )


def _is_changed(row: type[t.PlanRow], log: Log) -> sa.ColumnElement[bool]:
    """Whether its latest decision, or change of owners, is another than was looked at; any will do for none."""
    other = sa.orm.aliased(log)
    version = sa.select(sa.func.coalesce(sa.func.max(other.id), 0))
    version = version.where(other.provider_account_id == row.provider_account_id)
    return row.version != version.scalar_subquery()


def _gets(row: type[t.PlanRow], terms: Terms) -> sa.ColumnElement[bool]:
    """Whether it would get an account; to an undo that is one that it has not."""
    gets = row.account_id.is_not(None)
    if terms is not Terms.UNDO:
        return gets
    mapping = sa.orm.aliased(t.Mapping)
    has = sa.select(mapping.account_id).where(mapping.provider_account_id == row.provider_account_id)
    return sa.and_(gets, row.account_id.is_distinct_from(has.scalar_subquery()))


def _is_lost(row: type[t.PlanRow], terms: Terms) -> sa.ColumnElement[bool]:
    """Whether the account it would get is no more; to many rows at once no inactive one is given either."""
    account = t.Account
    is_there: list[sa.ColumnElement[bool]] = [account.id == row.account_id, ~account.is_deleted]
    if terms is Terms.BULK:
        is_there.append(account.is_active.is_(True))
    return sa.and_(_gets(row, terms), ~sa.exists().where(*is_there))


def _rows_that_get(row: type[t.PlanRow], terms: Terms) -> sa.Select[int]:
    """Select the waiting rows of the plan that get an account, with their provider."""
    pa, provider = t.ProviderAccount, t.Provider
    return (
        sa.select(row.provider_account_id)
        .join(pa, pa.id == row.provider_account_id)
        .join(provider, provider.id == pa.provider_id)
        .where(row.plan_id == sa.bindparam("plan"), row.why_left == "", _gets(row, terms))
    )


def _taken(default: Cardinality, terms: Terms) -> sa.Select[int]:
    row = sa.orm.aliased(t.PlanRow)
    return _rows_that_get(row, terms).where(is_taken(default, row.account_id, row.provider_account_id))


def _contested(default: Cardinality, terms: Terms) -> sa.Select[int]:
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
    rows = _rows_that_get(row, terms).join(other, rival).join(theirs, theirs.id == other.provider_account_id)
    return rows.where(must_not_share(default, theirs)).distinct()


def _forget_old(connection: sa.Connection, at: dt.datetime) -> None:
    for statement in _FORGET_OLD:
        connection.execute(statement, {"kept_since": at - KEPT})


_IS_OLD = sa.and_(t.Plan.run_id.is_(None), t.Plan.at < sa.bindparam("kept_since"))
_FORGET_OLD = (
    sa.delete(t.PlanRow).where(t.PlanRow.plan_id.in_(sa.select(t.Plan.id).where(_IS_OLD))),
    sa.delete(t.Plan).where(_IS_OLD),
)
