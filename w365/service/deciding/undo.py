"""Undo: the last decision of a person, one old decision, or a whole run. Rows changed since are left and listed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from w365.errors import InputError, NotFound, StaleEdit
from w365.matching.messages import DECISION_WORDS, LEFT_WORDS
from w365.model import Actor, DecisionKind, Role, RunKind
from w365.service import Service
from w365.service.access import require
from w365.service.deciding.bulk_actions import ACTIONS, UNDO, UNDO_OWNERS
from w365.service.deciding.bulk_run import Preview, do_part, read_preview
from w365.store import tables as t
from w365.store.configuring.settings import read_policy
from w365.store.deciding import plans
from w365.store.deciding.decisions import Who
from w365.store.deciding.owners import last_given, owner_targets
from w365.store.deciding.undoable import holding, last_of, targets_of_decision, targets_of_run
from w365.store.reading.worklist import Row, read_rows
from w365.store.runs import get_run

DECIDING = (RunKind.MATCH, RunKind.BULK, RunKind.UNDO, RunKind.MAPPING_IMPORT)
"""Runs that decide: the others read what others say."""


@dataclass(frozen=True, slots=True)
class Undoable:
    """What to take back: one decision, or all that a run decided."""

    decision_id: int | None = None
    run_id: int | None = None


@dataclass(frozen=True, slots=True)
class _Chosen:
    """What is taken back in words, by which action, and what that means for each row, asked of `one`."""

    said: str
    action: str
    rows: sa.Select[*tuple[Any, ...]]
    one: int


def last_decision(service: Service, actor: Actor) -> Undoable | None:
    """What this person did last and has not taken back: a decision, or a bulk action as one; None for nothing."""
    require(actor, Role.ANALYST)
    with service.store.read() as connection:
        found, given = last_of(connection, actor.name), last_given(connection, actor.name)
    if given is not None and (found is None or given.at > found.at):
        return Undoable(run_id=given.run_id)
    if found is None:
        return None
    return Undoable(run_id=found.run_id) if found.run_id is not None else Undoable(decision_id=found.id)


def preview_last(service: Service, actor: Actor) -> Preview:
    """Preview taking back what this person did last; NotFound when there is nothing."""
    last = last_decision(service, actor)
    if last is None:
        raise NotFound("You have decided nothing that could be taken back.", kept="Nothing was changed.")
    return preview_undo(service, actor, last)


def preview_undo(service: Service, actor: Actor, what: Undoable) -> Preview:
    """Freeze what undoing would take back, and say what is left because it was changed since. Nothing is changed yet.

    Raises NotFound when there is no such decision or run, InputError when the run is still at work.
    """
    require(actor, Role.ANALYST)
    with service.store.write() as connection:
        chosen = _chosen(connection, what)
        plan_id = plans.add_plan(
            connection,
            actor.name,
            service.clock(),
            chosen.action,
            said=chosen.said,
            detail={"decision": what.decision_id, "run": what.run_id},
            rows=chosen.rows,
            values={"one": chosen.one},
        )
        policy, log = read_policy(connection), ACTIONS[chosen.action].log
        plans.leave_changed(connection, policy, plan_id, must_be_active=False, log=log)
        return read_preview(connection, plan_id)


def _chosen(connection: sa.Connection, what: Undoable) -> _Chosen:
    if what.run_id is not None:
        return _chosen_run(connection, what.run_id)
    kind = connection.scalar(sa.select(t.Decision.kind).where(t.Decision.id == what.decision_id))
    if what.decision_id is None or kind is None:
        raise NotFound(f"There is no decision {what.decision_id}.", kept="Nothing was changed.")
    if kind in (DecisionKind.SYNC_OFF, DecisionKind.SYNC_ON):
        raise InputError(
            "The sync of a row is switched in its record.", kept="Nothing was changed.", do="Open the record."
        )
    said = f"Decision {what.decision_id}: {DECISION_WORDS[DecisionKind(kind)]}"
    return _Chosen(said, UNDO, targets_of_decision(), what.decision_id)


def _chosen_run(connection: sa.Connection, run_id: int) -> _Chosen:
    run = get_run(connection, run_id)
    if run.is_active:
        raise InputError(
            f"Run {run_id} is still at work.", kept="Nothing was changed.", do="Wait for its end, or cancel it first."
        )
    if run.kind not in DECIDING:
        raise InputError(f"Run {run_id} decided nothing: it read what others say.", kept="Nothing was changed.")
    plan = plans.plan_of_run(connection, run_id)
    said = f"Run {run_id}: {plan.said if plan else run.kind.replace('_', ' ')}"
    if plan is not None and ACTIONS[plan.action].log is t.OwnerChange:
        return _Chosen(said, UNDO_OWNERS, owner_targets(), run_id)
    return _Chosen(said, UNDO, targets_of_run(), run_id)


def can_take_back(service: Service, actor: Actor, row: int) -> frozenset[int]:
    """Which decisions of a row hold now, so that undoing them brings back what was before."""
    require(actor, Role.VIEWER)
    with service.store.read() as connection:
        return frozenset(connection.scalars(holding(), {"one": row}))


def take_back_now(service: Service, actor: Actor, decision_id: int) -> Row:
    """Take one decision back by hand and return the row as it is; StaleEdit, which says why, where it cannot be."""
    plan = preview_undo(service, actor, Undoable(decision_id=decision_id)).plan
    with service.store.write() as connection:
        row_id = connection.scalar(sa.select(t.Decision.provider_account_id).where(t.Decision.id == decision_id)) or 0
        taken = do_part(connection, Who(actor.name, service.clock()), plan, row_id)
        left = plans.read_plan(connection, plan.id).left
        plans.drop_plan(connection, plan.id)
        row = read_rows(connection, [row_id])[0]
    if not taken:
        why = LEFT_WORDS[next(iter(left), "changed")]
        raise StaleEdit(
            f"{row.name} cannot go back to what it was: {why}.",
            kept="It was left as it is.",
            do="Look at the row as it is now.",
        )
    return row
