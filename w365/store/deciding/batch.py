"""What each kind of decision changes, as statements over the decisions just made: all those `after` a given one.

There is one write transaction at a time, so nobody else's are among them.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from w365.model import DecisionKind, Disposition, MatchPolicy, Origin
from w365.store import tables as t
from w365.store.matching.evidence import KEPT_STATEMENTS, facts_of

HELD = "its automatic mapping was taken back"

Rows = sa.Select[*tuple[Any, ...]]
"""Rows to decide about: `provider_account_id`, `account_id`, and for an undo `undoes_id` and `restores_id`."""

Statement = sa.Insert | sa.Update | sa.Delete

_DECISION, _MAPPING, _ORDER, _REJECTION, _CHANGE = (
    t.Decision,
    t.Mapping,
    t.StandingOrder,
    t.Rejection,
    t.RejectionChange,
)
# One transaction writes at a time: what is younger than the last decision before it is its own.
_IS_MADE = _DECISION.id > sa.bindparam("after", type_=t.Id)
_NOTHING = sa.cast(sa.null(), t.Id)

_FROM_WHAT = (DecisionKind.MAP, DecisionKind.UNMAP, DecisionKind.UNDO)
"""Decisions that say what was mapped before."""


@functools.cache
def in_made() -> sa.Select[int]:
    """Select the provider accounts that were decided `after`."""
    return sa.select(_DECISION.provider_account_id).where(_IS_MADE)


@functools.cache
def judged_in_made() -> sa.Select[int]:
    """Select those of them of which an account was rejected, or is no more."""
    return in_made().join(_CHANGE, _CHANGE.decision_id == _DECISION.id).distinct()


@functools.cache
def rejected_in_made() -> sa.Select[int, int]:
    """Select the (provider account, account) that they rejected."""
    made = sa.select(_DECISION.provider_account_id, _CHANGE.account_id).join(
        _CHANGE, _CHANGE.decision_id == _DECISION.id
    )
    return made.where(_IS_MADE, _CHANGE.is_decision_id.is_not(None))


@functools.cache
def competing_with_made() -> sa.Select[int]:
    """Select them, and those whose proposal is an account that one of them gave up or got."""
    decided = sa.select(_DECISION.old_account_id, _DECISION.account_id).where(_IS_MADE).subquery()
    accounts = sa.select(decided.c.old_account_id).union(sa.select(decided.c.account_id))
    pointing = sa.select(t.CurrentProposal.provider_account_id).where(t.CurrentProposal.account_id.in_(accounts))
    return sa.select(in_made().union(pointing).subquery().c[0])


# --- what is appended ---


@functools.lru_cache(maxsize=KEPT_STATEMENTS)
def append_decisions(kind: DecisionKind, rows: Rows, *, is_first: bool) -> sa.Insert:
    """Append a decision for each row: by `the_actor` at `the_time` in `the_run`, with `the_origin` and `the_reason`.

    `is_first`: the rows are open and not mapped.
    """
    row = rows.subquery("given")
    old: sa.SQLColumnExpression[Any] = _NOTHING
    origin, reason = _bind("the_origin", sa.String()), _bind("the_reason", sa.String())
    if kind is DecisionKind.UNDO:
        before = t.StandingBefore
        known = sa.select(before.origin).where(before.decision_id == row.c.undoes_id)
        origin = sa.func.coalesce(known.scalar_subquery(), "")
    if kind is DecisionKind.RETURN:  # the reason it was parked for is kept
        parked = sa.select(_ORDER.reason).where(_ORDER.provider_account_id == row.c.provider_account_id)
        reason = sa.func.coalesce(parked.scalar_subquery(), "")
    if kind in _FROM_WHAT and not is_first:
        mapped = sa.select(_MAPPING.account_id).where(_MAPPING.provider_account_id == row.c.provider_account_id)
        old = mapped.scalar_subquery()
    values: dict[str, sa.SQLColumnExpression[Any]] = {
        "at": _bind("the_time", t.UtcTime()),
        "actor": _bind("the_actor", sa.String()),
        "run_id": _bind("the_run", t.Id),
        "provider_account_id": row.c.provider_account_id,
        "kind": sa.literal(kind.value),
        "old_account_id": old,
        "account_id": row.c.account_id,
        "origin": origin,
        "reason": reason,
    }
    return sa.insert(_DECISION).from_select(
        list(values), sa.select(*values.values()).order_by(row.c.provider_account_id)
    )


def _bind(name: str, type_: sa.types.TypeEngine[Any]) -> sa.SQLColumnExpression[Any]:
    return sa.bindparam(name, type_=type_)


@functools.lru_cache(maxsize=KEPT_STATEMENTS)
def link_undos(rows: Rows) -> sa.Insert:
    """Say which decision each undo takes back, and the decision whose outcome holds again."""
    row = rows.subquery("given")
    links = sa.select(_DECISION.id, row.c.undoes_id, row.c.restores_id)
    links = links.join(row, row.c.provider_account_id == _DECISION.provider_account_id).where(_IS_MADE)
    return sa.insert(t.Undo).from_select(["decision_id", "undoes_id", "restores_id"], links)


@functools.cache
def keeping_standing() -> sa.Insert:
    """Keep mapping and disposition as they are, so that the decision can be taken back; nothing of an open row."""
    values = {
        "decision_id": _DECISION.id,
        "account_id": _MAPPING.account_id,
        "origin": sa.func.coalesce(_MAPPING.origin, ""),
        "mapping_decision_id": _MAPPING.decision_id,
        "against_evidence": sa.func.coalesce(_MAPPING.against_evidence, sa.false()),
        "disposition": sa.func.coalesce(_ORDER.kind, Disposition.OPEN.value),
        "reason": sa.func.coalesce(_ORDER.reason, ""),
        "until": _ORDER.until,
        "order_decision_id": _ORDER.decision_id,
    }
    now = (
        sa.select(*values.values())
        .outerjoin_from(_DECISION, _MAPPING, _MAPPING.provider_account_id == _DECISION.provider_account_id)
        .outerjoin(_ORDER, _ORDER.provider_account_id == _DECISION.provider_account_id)
        .where(_IS_MADE, sa.or_(_MAPPING.account_id.is_not(None), _ORDER.kind.is_not(None)))
    )
    return sa.insert(t.StandingBefore).from_select(list(values), now)


# --- rejections ---


@functools.cache
def keep_rejections(kind: DecisionKind) -> sa.Insert | None:
    """Keep which rejections the decisions make or end: what held before them, and after."""
    changes = _rejections().get(kind)
    columns = ["decision_id", "account_id", "was_decision_id", "is_decision_id"]
    return None if changes is None else sa.insert(_CHANGE).from_select(columns, changes.where(_IS_MADE))


def _rejections() -> Mapping[DecisionKind, sa.Select[*tuple[Any, ...]]]:
    decision, undone = _DECISION, t.Undo
    rejected_so_far = _is_pair(decision.account_id)
    ended = sa.select(decision.id, _REJECTION.account_id, _REJECTION.decision_id, _NOTHING).join(
        _REJECTION, rejected_so_far
    )
    made = sa.select(decision.id, decision.account_id, _REJECTION.decision_id, decision.id.label("becomes"))
    automatic = sa.select(decision.id, _MAPPING.account_id, _REJECTION.decision_id, decision.id.label("becomes")).join(
        _MAPPING, _MAPPING.provider_account_id == decision.provider_account_id
    )
    back = sa.select(decision.id, _CHANGE.account_id, _CHANGE.is_decision_id, _CHANGE.was_decision_id)
    return {
        DecisionKind.MAP: ended,
        DecisionKind.UNREJECT: ended,
        DecisionKind.REJECT: made.outerjoin_from(decision, _REJECTION, rejected_so_far),
        # or the next match would write it again (product rule 5)
        DecisionKind.UNMAP: automatic.outerjoin(_REJECTION, _is_pair(_MAPPING.account_id)).where(
            _MAPPING.origin == Origin.AUTO
        ),
        DecisionKind.UNDO: back.join_from(decision, undone, undone.decision_id == decision.id).join(
            _CHANGE, _CHANGE.decision_id == undone.undoes_id
        ),
    }


def _is_pair(account_id: sa.SQLColumnExpression[int | None]) -> sa.ColumnElement[bool]:
    return sa.and_(_REJECTION.provider_account_id == _DECISION.provider_account_id, _REJECTION.account_id == account_id)


@functools.cache
def moving_rejections() -> tuple[Statement, ...]:
    """Make and end what `keep_rejections` kept."""
    made = sa.select(_DECISION.provider_account_id, _CHANGE.account_id).join(
        _CHANGE, _CHANGE.decision_id == _DECISION.id
    )
    made = made.where(_IS_MADE)
    # All of them are ended first: one that is made anew would stand twice.
    pair = sa.tuple_(_REJECTION.provider_account_id, _REJECTION.account_id)
    new = made.add_columns(_CHANGE.is_decision_id).where(_CHANGE.is_decision_id.is_not(None))
    columns = ["provider_account_id", "account_id", "decision_id"]
    return sa.delete(_REJECTION).where(pair.in_(made)), sa.insert(_REJECTION).from_select(columns, new)


# --- mappings and dispositions ---


@functools.lru_cache(maxsize=KEPT_STATEMENTS)
def change_mappings(kind: DecisionKind, policy: MatchPolicy, *, is_first: bool) -> tuple[Statement, ...]:
    """What a kind of decision changes of mapping and disposition. `is_first`: the rows are open and not mapped."""
    # The order matters: a row has one mapping, so the old one goes first; and the new one notes whether any
    # evidence was kept for it.
    unmap, reopen = _clearing(_MAPPING), _clearing(_ORDER)
    if is_first:
        return _keeping_evidence(policy), _mapping(is_supported=True)
    all_changes: Mapping[DecisionKind, tuple[Statement, ...]] = {
        DecisionKind.MAP: (unmap, reopen, _keeping_evidence(policy), _mapping(is_supported=False)),
        DecisionKind.UNMAP: (unmap,),
        DecisionKind.EXCLUDE: (reopen, _setting_aside(Disposition.EXCLUDED)),
        DecisionKind.PARK: (reopen, _setting_aside(Disposition.PARKED)),
        DecisionKind.REOPEN: (reopen,),
        DecisionKind.RETURN: (reopen,),
        DecisionKind.UNDO: (unmap, reopen, *_restoring()),
        DecisionKind.SYNC_ON: (_switching_sync(is_on=True),),
        DecisionKind.SYNC_OFF: (_switching_sync(is_on=False),),
    }
    return all_changes.get(kind, ())


def _clearing(table: type[t.Mapping | t.StandingOrder]) -> sa.Delete:
    return sa.delete(table).where(table.provider_account_id.in_(in_made()))


def _keeping_evidence(policy: MatchPolicy) -> sa.Insert:
    facts = facts_of(policy, in_made())
    of_pair = sa.and_(
        facts.c.provider_account_id == _DECISION.provider_account_id, facts.c.account_id == _DECISION.account_id
    )
    rows = sa.select(_DECISION.id, facts.c.rule, facts.c.domain, facts.c.contacts, facts.c.example)
    columns = ["decision_id", "rule", "domain", "contacts", "example"]
    return sa.insert(t.DecisionEvidence).from_select(columns, rows.join(facts, of_pair).where(_IS_MADE))


def _mapping(*, is_supported: bool) -> sa.Insert:
    """Map; where nothing supports the account and something another one, that is noted."""
    proposal, evidence = t.CurrentProposal, t.DecisionEvidence
    has_evidence = sa.exists().where(evidence.decision_id == _DECISION.id)
    has_others = sa.exists().where(proposal.provider_account_id == _DECISION.provider_account_id, proposal.accounts > 0)
    values: dict[str, sa.SQLColumnExpression[Any]] = {
        "provider_account_id": _DECISION.provider_account_id,
        "account_id": _DECISION.account_id,
        "origin": _DECISION.origin,
        "decision_id": _DECISION.id,
        "against_evidence": sa.false() if is_supported else sa.and_(~has_evidence, has_others),
    }
    return sa.insert(_MAPPING).from_select(list(values), sa.select(*values.values()).where(_IS_MADE))


_ORDER_COLUMNS = ("provider_account_id", "kind", "reason", "until", "decision_id")


def _setting_aside(kind: Disposition) -> sa.Insert:
    """Set aside, parked rows until `the_day`."""
    values = (sa.literal(kind.value), _DECISION.reason, _bind("the_day", sa.Date()), _DECISION.id)
    rows = sa.select(_DECISION.provider_account_id, *values).where(_IS_MADE)
    return sa.insert(_ORDER).from_select(_ORDER_COLUMNS, rows)


def _switching_sync(*, is_on: bool) -> sa.Update:
    return sa.update(t.ProviderAccount).where(t.ProviderAccount.id.in_(in_made())).values(is_synced=is_on)


def _restoring() -> tuple[Statement, ...]:
    """Bring back what held before; a row whose automatic mapping is taken back is held.

    Or the next match would write it again (product rule 5).
    """
    before, undo, undone = t.StandingBefore, t.Undo, sa.orm.aliased(_DECISION)
    of_row = sa.select(_DECISION.provider_account_id).join(undo, undo.decision_id == _DECISION.id).where(_IS_MADE)
    known = of_row.join(before, before.decision_id == undo.undoes_id)
    mappings = known.add_columns(
        before.account_id, before.origin, before.mapping_decision_id, before.against_evidence
    ).where(before.account_id.is_not(None))
    orders = known.add_columns(before.disposition, before.reason, before.until, before.order_decision_id)
    held = (sa.literal(Disposition.HELD.value), sa.literal(HELD), sa.cast(sa.null(), sa.Date), _DECISION.id)
    automatic = of_row.add_columns(*held).join(undone, undone.id == undo.undoes_id)
    automatic = automatic.where(undone.kind == DecisionKind.MAP, undone.origin == Origin.AUTO)
    columns = ["provider_account_id", "account_id", "origin", "decision_id", "against_evidence"]
    return (
        sa.insert(_MAPPING).from_select(columns, mappings),
        sa.insert(_ORDER).from_select(_ORDER_COLUMNS, orders.where(before.order_decision_id.is_not(None))),
        sa.insert(_ORDER).from_select(_ORDER_COLUMNS, automatic),
    )
