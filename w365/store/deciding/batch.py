"""Decisions for many rows at once, as statements over a table of the rows.

The set-based half of `store.deciding.decisions`.

Each function appends one decision a row, keeps what held before it and changes mapping, disposition and rejections,
exactly as the one for a single row does. The caller has checked that every row may be changed so.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from w365.model import DecisionKind, Disposition, MatchPolicy, Origin
from w365.store import tables as t
from w365.store.db.bulk_insert import upsert_into
from w365.store.deciding.decisions import Who
from w365.store.deciding.prior_state import Made, keep_standing
from w365.store.matching.evidence import KEPT_STATEMENTS, NO_VALUES, Values, facts_of
from w365.store.matching.proposals import any_unique, propose, with_rivals
from w365.store.matching.refresh_derived import refresh

HELD = "its automatic mapping was taken back"

_work = sa.MetaData()
batch = sa.Table(
    "batch",
    _work,
    sa.Column("provider_account_id", t.Id, primary_key=True, autoincrement=False),
    sa.Column("account_id", t.Id),
    sa.Column("undoes_id", t.Id),
    sa.Column("restores_id", t.Id),
    sa.Column("decision_id", t.Id),
    prefixes=["TEMPORARY"],
)
"""The rows to change; a temporary table of the connection."""

_COLUMNS = ("provider_account_id", "account_id", "undoes_id", "restores_id")


def fill_batch(connection: sa.Connection, rows: sa.Select[*tuple[Any, ...]], values: Values = NO_VALUES) -> int:
    """Take these rows (provider account, account to map to, decision to undo, decision restored); return how many."""
    _work.create_all(connection)
    connection.execute(sa.delete(batch))
    connection.execute(_filling(rows), values or None)
    return connection.scalar(sa.select(sa.func.count()).select_from(batch)) or 0


@functools.lru_cache(maxsize=KEPT_STATEMENTS)
def _filling(rows: sa.Select[*tuple[Any, ...]]) -> sa.Insert:
    return sa.insert(batch).from_select(_COLUMNS, rows)


def put_batch(connection: sa.Connection, pairs: Sequence[tuple[int, int]]) -> None:
    """Take these pairs of provider account and account to map it to."""
    fill_batch(connection, _no_rows())
    if pairs:
        rows = [{"provider_account_id": row, "account_id": account} for row, account in pairs]
        connection.execute(sa.insert(batch), rows)


@functools.cache
def _no_rows() -> sa.Select[*tuple[Any, ...]]:
    return sa.select(*(sa.cast(sa.null(), t.Id) for _ in _COLUMNS)).where(sa.false())


@functools.cache
def in_batch() -> sa.Select[int]:
    return sa.select(batch.c.provider_account_id)


@functools.cache
def rejected_in_batch() -> sa.Select[int, int]:
    """Select the (provider account, account) that the decisions of the batch rejected."""
    change = t.RejectionChange
    made = sa.select(batch.c.provider_account_id, change.account_id)
    return made.join(change, change.decision_id == batch.c.decision_id).where(change.is_decision_id.is_not(None))


def map_rows(connection: sa.Connection, policy: MatchPolicy, who: Who, origin: Origin = Origin.MANUAL) -> None:
    """Map each row to its account; its mapping so far, another disposition and a rejection of the pair end."""
    _append(connection, who, DecisionKind.MAP, origin=sa.literal(origin.value))
    _keep_evidence(connection, policy)
    _end_rejections(connection)
    _clear(connection, t.Mapping)
    _clear(connection, t.StandingOrder)
    proposal, evidence = t.CurrentProposal, t.DecisionEvidence
    has_evidence = sa.exists().where(evidence.decision_id == batch.c.decision_id)
    supports_others = sa.exists().where(
        proposal.provider_account_id == batch.c.provider_account_id, proposal.accounts > 0
    )
    values = {
        "provider_account_id": batch.c.provider_account_id,
        "account_id": batch.c.account_id,
        "origin": sa.literal(origin.value),
        "decision_id": batch.c.decision_id,
        "against_evidence": sa.and_(~has_evidence, supports_others),
    }
    connection.execute(sa.insert(t.Mapping).from_select(list(values), sa.select(*values.values())))


def unmap_rows(connection: sa.Connection, who: Who, *, reason: str) -> None:
    """Clear each mapping; an automatic one rejects its pair."""
    _append(connection, who, DecisionKind.UNMAP, reason=reason)
    mapping, rejection = t.Mapping, t.Rejection
    of_pair = (rejection.provider_account_id == mapping.provider_account_id) & (
        rejection.account_id == mapping.account_id
    )
    automatic = (
        sa.select(batch.c.decision_id, mapping.account_id, rejection.decision_id, batch.c.decision_id.label("becomes"))
        .join(mapping, mapping.provider_account_id == batch.c.provider_account_id)
        .outerjoin(rejection, of_pair)
        .where(mapping.origin == Origin.AUTO)
    )
    _change_rejections(connection, automatic)
    _clear(connection, mapping)


def set_aside_rows(
    connection: sa.Connection, who: Who, kind: Disposition, *, reason: str, until: dt.date | None = None
) -> None:
    decided = DecisionKind.EXCLUDE if kind is Disposition.EXCLUDED else DecisionKind.PARK
    _append(connection, who, decided, reason=reason)
    _clear(connection, t.StandingOrder)
    values = (sa.literal(kind.value), sa.literal(reason), sa.literal(until, sa.Date()))
    orders = sa.select(batch.c.provider_account_id, *values, batch.c.decision_id)
    columns = ["provider_account_id", "kind", "reason", "until", "decision_id"]
    connection.execute(sa.insert(t.StandingOrder).from_select(columns, orders))


def reopen_rows(connection: sa.Connection, who: Who) -> None:
    _append(connection, who, DecisionKind.REOPEN)
    _clear(connection, t.StandingOrder)


def undo_rows(connection: sa.Connection, who: Who) -> None:
    """Take each row's decision back: what held before it holds again.

    Where an automatic mapping is taken back the row is held, or the next match would write it again (product rule 5).
    """
    before, change = t.StandingBefore, t.RejectionChange
    origin = sa.select(before.origin).where(before.decision_id == batch.c.undoes_id).scalar_subquery()
    _append(connection, who, DecisionKind.UNDO, origin=sa.func.coalesce(origin, ""))
    links = sa.select(batch.c.decision_id, batch.c.undoes_id, batch.c.restores_id)
    connection.execute(sa.insert(t.Undo).from_select(["decision_id", "undoes_id", "restores_id"], links))
    _restore_standing(connection)
    _hold_automatic(connection)
    back = sa.select(batch.c.decision_id, change.account_id, change.is_decision_id, change.was_decision_id)
    _change_rejections(connection, back.join(change, change.decision_id == batch.c.undoes_id))


def settle_batch(connection: sa.Connection, policy: MatchPolicy) -> None:
    """Make proposals and grid rows agree with what was decided for the batch.

    A mapping bears on proposals under a unique policy only, a rejection under any: the others stay as they are.
    """
    if any_unique(connection, policy):
        wanted, _ = with_rivals(connection, policy, _with_competitors())
        propose(connection, policy, wanted)
        refresh(connection, policy, wanted)
        return
    propose(connection, policy, _judged())
    refresh(connection, policy, in_batch())


@functools.cache
def _judged() -> sa.Select[int]:
    """The rows of the batch of which an account was rejected, or is no more."""
    change = t.RejectionChange
    rows = sa.select(batch.c.provider_account_id).join(change, change.decision_id == batch.c.decision_id)
    return rows.distinct()


@functools.cache
def _with_competitors() -> sa.Select[int]:
    """The rows of the batch, and those whose proposal is an account that one of them gave up or got."""
    decision, proposal = t.Decision, t.CurrentProposal
    decided = sa.select(decision.old_account_id, decision.account_id).join(batch, batch.c.decision_id == decision.id)
    accounts = decided.subquery()
    either = sa.select(accounts.c.old_account_id).union(sa.select(accounts.c.account_id))
    pointing = sa.select(proposal.provider_account_id).where(proposal.account_id.in_(either))
    return sa.select(in_batch().union(pointing).subquery().c[0])


def _append(
    connection: sa.Connection,
    who: Who,
    kind: DecisionKind,
    *,
    reason: str = "",
    origin: sa.ColumnElement[str] | None = None,
) -> None:
    """Append a decision for each row of the batch, from the present mapping to the batch's account."""
    mapping, decision = t.Mapping, t.Decision
    values: dict[str, sa.SQLColumnExpression[Any]] = {
        "at": sa.literal(who.at, t.UtcTime()),
        "actor": sa.literal(who.name),
        "run_id": sa.literal(who.run_id, t.Id),
        "provider_account_id": batch.c.provider_account_id,
        "kind": sa.literal(kind.value),
        "old_account_id": mapping.account_id,
        "account_id": batch.c.account_id,
        "origin": sa.literal("") if origin is None else origin,
        "reason": sa.literal(reason),
    }
    rows = sa.select(*values.values()).outerjoin_from(
        batch, mapping, mapping.provider_account_id == batch.c.provider_account_id
    )
    connection.execute(sa.insert(decision).from_select(list(values), rows.order_by(batch.c.provider_account_id)))
    latest = sa.select(sa.func.max(decision.id)).where(decision.provider_account_id == batch.c.provider_account_id)
    connection.execute(sa.update(batch).values(decision_id=latest.scalar_subquery()))
    keep_standing(connection, _decided_in_batch())


@functools.cache
def _decided_in_batch() -> Made:
    return sa.select(batch.c.decision_id, batch.c.provider_account_id)


def _keep_evidence(connection: sa.Connection, policy: MatchPolicy) -> None:
    facts = facts_of(policy, in_batch())
    of_pair = (facts.c.provider_account_id == batch.c.provider_account_id) & (facts.c.account_id == batch.c.account_id)
    rows = sa.select(batch.c.decision_id, facts.c.rule, facts.c.domain, facts.c.contacts, facts.c.example).join(
        facts, of_pair
    )
    columns = ["decision_id", "rule", "domain", "contacts", "example"]
    connection.execute(sa.insert(t.DecisionEvidence).from_select(columns, rows))


def _restore_standing(connection: sa.Connection) -> None:
    before = t.StandingBefore
    of_decision = before.decision_id == batch.c.undoes_id
    known: sa.Select[*tuple[Any, ...]] = sa.select(batch.c.provider_account_id).join(before, of_decision)
    _clear(connection, t.Mapping)
    _clear(connection, t.StandingOrder)
    mappings = known.add_columns(
        before.account_id, before.origin, before.mapping_decision_id, before.against_evidence
    ).where(before.account_id.is_not(None))
    columns = ["provider_account_id", "account_id", "origin", "decision_id", "against_evidence"]
    connection.execute(sa.insert(t.Mapping).from_select(columns, mappings))
    orders = known.add_columns(before.disposition, before.reason, before.until, before.order_decision_id)
    columns = ["provider_account_id", "kind", "reason", "until", "decision_id"]
    orders = orders.where(before.order_decision_id.is_not(None))
    connection.execute(sa.insert(t.StandingOrder).from_select(columns, orders))


def _hold_automatic(connection: sa.Connection) -> None:
    decision = t.Decision
    values = (sa.literal(Disposition.HELD.value), sa.literal(HELD), sa.cast(sa.null(), sa.Date))
    rows = (
        sa.select(batch.c.provider_account_id, *values, batch.c.decision_id)
        .join(decision, decision.id == batch.c.undoes_id)
        .where(decision.kind == DecisionKind.MAP, decision.origin == Origin.AUTO)
    )
    columns = ["provider_account_id", "kind", "reason", "until", "decision_id"]
    connection.execute(sa.insert(t.StandingOrder).from_select(columns, rows))


def _end_rejections(connection: sa.Connection) -> None:
    rejection = t.Rejection
    of_pair = (rejection.provider_account_id == batch.c.provider_account_id) & (
        rejection.account_id == batch.c.account_id
    )
    nothing = sa.cast(sa.null(), t.Id)
    ended = sa.select(batch.c.decision_id, rejection.account_id, rejection.decision_id, nothing.label("becomes"))
    _change_rejections(connection, ended.join(rejection, of_pair))


def _change_rejections(connection: sa.Connection, changes: sa.Select[*tuple[Any, ...]]) -> None:
    """Keep these changes (decision, account, was, becomes) and make them."""
    change, rejection = t.RejectionChange, t.Rejection
    columns = ["decision_id", "account_id", "was_decision_id", "is_decision_id"]
    connection.execute(sa.insert(change).from_select(columns, changes))
    made = sa.select(batch.c.provider_account_id, change.account_id, change.is_decision_id).join(
        change, change.decision_id == batch.c.decision_id
    )
    of_pair = sa.exists(
        made.where(
            batch.c.provider_account_id == rejection.provider_account_id, change.account_id == rejection.account_id
        )
    )
    connection.execute(sa.delete(rejection).where(rejection.provider_account_id.in_(in_batch()), of_pair))
    insert = upsert_into(connection.dialect.name, rejection.__table__)
    rows = made.where(change.is_decision_id.is_not(None))
    connection.execute(insert.from_select(["provider_account_id", "account_id", "decision_id"], rows))


def _clear(connection: sa.Connection, table: type[t.Mapping | t.StandingOrder]) -> None:
    connection.execute(sa.delete(table).where(table.provider_account_id.in_(in_batch())))
