"""The one engine: whatever changes a mapping, a disposition or a rejection, of one row or of many, is done here.

A selection of rows is decided in one way: a decision is appended for each, with what held before it and the evidence of
its moment, and what the kind of decision changes is changed. Whether a row may be changed is asked before, on the same
conditions: of one row by `read_standing` and `refuse_mapping`, of the rows of a plan by `plans.leave_changed`. The
latest decision of a provider account is the version that an edit must have seen; whoever comes second is told who
decided what.
"""

from __future__ import annotations

import datetime as dt
import functools
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from w365.errors import NotFound, StaleEdit
from w365.model import DecisionKind, Disposition, MatchPolicy, Origin
from w365.store import tables as t
from w365.store.db.bulk_insert import count_for_planner
from w365.store.deciding.batch import (
    Rows,
    append_decisions,
    change_mappings,
    competing_with_made,
    in_made,
    judged_in_made,
    keep_rejections,
    keeping_standing,
    link_undos,
    moving_rejections,
    rejected_in_made,
)
from w365.store.deciding.plans import Terms, why_left
from w365.store.matching.candidates import drop_candidates, order_decided
from w365.store.matching.cardinality import any_unique, refuse_taken
from w365.store.matching.evidence import NO_VALUES, Values
from w365.store.matching.proposals import refresh_proposals, would_map
from w365.store.matching.refresh_derived import refresh_rows, refresh_with_rivals

_MANY = 1_000
"""So many automatic mappings are worth a count of the decisions, which takes some 0.1 s."""

_OF_SYNC = (DecisionKind.SYNC_ON, DecisionKind.SYNC_OFF)
"""These change nothing that is proposed."""


@dataclass(frozen=True, slots=True)
class Who:
    """Who decides, when, and in which run (none for a person's own hand)."""

    name: str
    at: dt.datetime
    run_id: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What is decided about rows; `until` is the last day of parking."""

    kind: DecisionKind
    origin: Origin | None = None
    reason: str = ""
    until: dt.date | None = None

    @property
    def is_first(self) -> bool:
        """Whether its rows are open and not mapped: there is nothing that held before."""
        return self.origin is Origin.AUTO


@dataclass(frozen=True, slots=True)
class Made:
    """Decisions just made, of so many rows and with so many rejections made or ended: those `after` a given one."""

    change: Change
    after: int
    rows: int
    judged: int = 0

    @property
    def values(self) -> Values:
        """What the selections of `store.deciding.batch` ask for."""
        return {"after": self.after}


def decide_rows(
    connection: sa.Connection,
    policy: MatchPolicy,
    who: Who,
    change: Change,
    rows: Rows,
    values: Values = NO_VALUES,
) -> Made:
    """Decide the same about every row of a selection; `values` are what it asks for.

    The caller has seen that every row may be changed so, and makes agree what is derived (`carry_out` does).
    """
    after = connection.scalar(_LAST) or 0
    # All statements get the same values; each takes those that it names.
    asked = {**values, **_facts(who, change), "after": after}
    appended = append_decisions(change.kind, rows, is_first=change.is_first)
    made = Made(change, after, _count(connection, appended, asked))
    if not change.is_first:
        # Before anything is changed: afterwards nobody knows what held.
        connection.execute(keeping_standing(), made.values)
        if change.kind is DecisionKind.UNDO:
            # The rejections of an undo, and what it restores, are found by these links.
            connection.execute(link_undos(rows), asked)
        made = Made(change, after, made.rows, _judge(connection, made))
    # A first match fills tables that were empty; its next statements join what it wrote.
    elif made.rows >= _MANY:
        count_for_planner(connection, t.Decision)
    for statement in change_mappings(change.kind, policy, is_first=change.is_first):
        connection.execute(statement, asked)
    return made


def carry_out(
    connection: sa.Connection,
    policy: MatchPolicy,
    who: Who,
    change: Change,
    rows: Rows,
    values: Values = NO_VALUES,
) -> int:
    """Decide, and make proposals, grid rows and candidates agree; return of how many rows."""
    made = decide_rows(connection, policy, who, change, rows, values)
    if made.judged:
        drop_candidates(connection, rejected_in_made(), made.values)
    if made.rows:
        _refresh(connection, policy, made)
        order_decided(connection, in_made(), made.values)
    return made.rows


_LAST = sa.select(sa.func.max(t.Decision.id))


def _facts(who: Who, change: Change) -> dict[str, Any]:
    return {
        "the_actor": who.name,
        "the_time": who.at,
        "the_run": who.run_id,
        "the_origin": change.origin or "",
        "the_reason": change.reason,
        "the_day": change.until,
    }


def _judge(connection: sa.Connection, made: Made) -> int:
    statement = keep_rejections(made.change.kind)
    judged = 0 if statement is None else _count(connection, statement, made.values)
    if judged:
        for moving in moving_rejections():
            connection.execute(moving, made.values)
    return judged


def _count(connection: sa.Connection, statement: sa.Insert, values: Values) -> int:
    # Of an INSERT, SQLAlchemy keeps PostgreSQL's count only where it is asked to.
    return connection.execute(statement, values, execution_options={"preserve_rowcount": True}).rowcount


def _refresh(connection: sa.Connection, policy: MatchPolicy, made: Made) -> None:
    """Make proposals and grid rows agree with what was decided.

    A mapping bears on proposals under a unique policy only, a rejection under any: the others stay as they are.
    """
    if made.change.kind not in _OF_SYNC and any_unique(connection, policy):
        refresh_with_rivals(connection, policy, competing_with_made(), made.values)
        return
    if made.judged:
        refresh_proposals(connection, policy, judged_in_made(), made.values)
    refresh_rows(connection, policy, in_made(), made.values)


def auto_match(connection: sa.Connection, policy: MatchPolicy, run_id: int, actor: str, at: dt.datetime) -> int:
    """Map every open row with exactly one supported account; return how many. With Auto-Match off nothing is mapped."""
    if not policy.auto_match:
        return 0
    change = Change(DecisionKind.MAP, Origin.AUTO)
    return decide_rows(connection, policy, Who(actor, at, run_id), change, would_map()).rows


@functools.cache
def mapped_in_run() -> sa.Select[int]:
    """Select the provider accounts that the `run` given with the statement decided."""
    return sa.select(t.Decision.provider_account_id).where(t.Decision.run_id == sa.bindparam("run"))


def bring_back(connection: sa.Connection, policy: MatchPolicy, who: Who, today: dt.date, *, limit: int = 500) -> int:
    """Reopen parked rows whose date has come, and return how many; the reason they were parked for is kept."""
    change = Change(DecisionKind.RETURN)
    return carry_out(connection, policy, who, change, _parked(), {"today": today, "most": limit})


def is_any_due(connection: sa.Connection, today: dt.date) -> bool:
    """Whether there are such rows."""
    return connection.execute(_parked(), {"today": today, "most": 1}).first() is not None


@functools.cache
def _parked() -> Rows:
    order = t.StandingOrder
    rows = sa.select(order.provider_account_id, sa.cast(sa.null(), t.Id).label("account_id"))
    due = rows.where(order.kind == Disposition.PARKED, order.until <= sa.bindparam("today", type_=sa.Date))
    return due.order_by(order.provider_account_id).limit(sa.bindparam("most", type_=sa.Integer))


# --- one row ---


@dataclass(frozen=True, slots=True)
class Standing:
    """How a provider account stands now, and why it cannot get the account that was asked for ("" if it can)."""

    id: int
    asked_id: int | None
    provider_id: int
    account_id: int | None
    origin: str
    disposition: Disposition
    is_synced: bool
    is_rejected: bool
    why: str


_ASKED = ("row", "seen", "account", "undoes", "restores")

ROW: Rows = sa.select(
    *(
        sa.bindparam(name, type_=t.Id).label(label)
        for name, label in zip(
            _ASKED, ("provider_account_id", "version", "account_id", "undoes_id", "restores_id"), strict=True
        )
    )
)
"""The one `row` of a plan that is not stored, in the columns of one that is."""


def row_values(
    row: int, account: int | None = None, *, seen: int | None = None, undoes: int | None = None, restores: int = 0
) -> Values:
    """What `ROW` asks for. `seen` is the version that the person looked at; None: whatever holds."""
    return dict(zip(_ASKED, (row, seen, account, undoes, restores), strict=True))


def read_standing(
    connection: sa.Connection,
    policy: MatchPolicy,
    row: int,
    account: int | None = None,
    *,
    seen: int | None,
    terms: Terms = Terms.BY_HAND,
) -> Standing:
    """Read how a provider account stands, for a decision in the same write transaction.

    `account` is one that it may get, on which terms. Raises StaleEdit naming who decided since, and NotFound.
    """
    held = connection.execute(_standing(policy, terms), row_values(row, account, seen=seen)).one_or_none()
    if held is None:
        raise NotFound("This provider account does not exist.", do="Reload the page.")
    if held.why == "changed" and held.actor is not None:
        raise StaleEdit(
            f"{held.actor} decided this row at {held.at:%H:%M} UTC, after you had opened it.",
            kept="Their decision was kept; yours was not saved.",
            do="Look at the row as it is now and choose again.",
        )
    return Standing(
        held.id,
        account,
        held.provider_id,
        held.account_id,
        held.origin or "",
        Disposition(held.kind or Disposition.OPEN),
        held.is_synced,
        held.is_rejected,
        held.why,
    )


def refuse_mapping(connection: sa.Connection, policy: MatchPolicy, now: Standing, kind: DecisionKind) -> None:
    """Raise NotFound where the account is no more, PolicyBreach where a policy forbids to map to it."""
    if now.why == "account_gone" and kind is not DecisionKind.UNREJECT:
        raise NotFound(
            "This CRM account does not exist (any more).", kept="Nothing was changed.", do="Choose another one."
        )
    if now.why == "taken" and kind is DecisionKind.MAP:
        refuse_taken(connection, policy, now.provider_id, now.asked_id or 0, besides=now.id)


@functools.lru_cache(maxsize=8)
def _standing(policy: MatchPolicy, terms: Terms) -> sa.Select[*tuple[Any, ...]]:
    given, pa, decision = ROW.subquery("given"), t.ProviderAccount, t.Decision
    row = sa.orm.aliased(t.PlanRow, given, adapt_on_names=True)
    other = sa.orm.aliased(decision)
    latest = sa.select(sa.func.max(other.id)).where(other.provider_account_id == pa.id).correlate(pa).scalar_subquery()
    rejection = t.Rejection
    is_rejected = sa.exists().where(rejection.provider_account_id == pa.id, rejection.account_id == row.account_id)
    return (
        sa.select(
            pa.id,
            pa.provider_id,
            t.Mapping.account_id,
            t.Mapping.origin,
            t.StandingOrder.kind,
            pa.is_synced,
            is_rejected.label("is_rejected"),
            why_left(policy, row, terms).label("why"),
            decision.actor,
            decision.at,
        )
        .select_from(given)
        .join(pa, pa.id == row.provider_account_id)
        .join(t.Provider, t.Provider.id == pa.provider_id)
        .outerjoin(decision, decision.id == latest)
        .outerjoin(t.Mapping, t.Mapping.provider_account_id == pa.id)
        .outerjoin(t.StandingOrder, t.StandingOrder.provider_account_id == pa.id)
    )
