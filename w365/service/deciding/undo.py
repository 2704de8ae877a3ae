"""Undo: the last decision of a person, one old decision, or a whole run. Rows changed since are left and listed."""

from __future__ import annotations

from dataclasses import dataclass

from w365.errors import InputError, NotFound, StaleEdit
from w365.matching.messages import DECISION_WORDS, LEFT_WORDS
from w365.model import Actor, DecisionKind, Role, RunKind
from w365.service import Service
from w365.service.access import needs
from w365.service.deciding.bulk_actions import ACTIONS, UNDO, UNDO_OWNERS
from w365.service.deciding.bulk_run import PlanPreview, freeze_plan
from w365.store.configuring.settings import read_policy
from w365.store.db.engine import Connection
from w365.store.deciding import plans
from w365.store.deciding.batch import Rows
from w365.store.deciding.decisions import ROW, Change, Who, carry_out, read_standing, row_values
from w365.store.deciding.owners import last_given, owner_targets
from w365.store.deciding.plans import Terms
from w365.store.deciding.undoable import (
    NOT_UNDONE,
    last_of,
    list_holding,
    read_decision,
    read_target,
    targets_of_decision,
    targets_of_run,
)
from w365.store.reading.worklist import Row, read_rows
from w365.store.runs import get_run
from w365.store.tables import OwnerChange

DECIDING = (RunKind.MATCH, RunKind.BULK, RunKind.UNDO, RunKind.MAPPING_IMPORT)
"""Runs that decide: the others read what others say."""


@dataclass(frozen=True, slots=True)
class Undoable:
    """What to take back: one decision, or all that a run decided."""

    decision_id: int | None = None
    run_id: int | None = None


@dataclass(frozen=True, slots=True)
class _Chosen:
    """What is taken back in words, by which action, and what that means for each row, asked of `undone`."""

    title: str
    action: str
    rows: Rows
    undone: int


@needs(Role.ANALYST)
def last_decision(service: Service, actor: Actor) -> Undoable | None:
    """What this person did last and has not taken back: a decision, or a bulk action as one; None for nothing."""
    with service.store.read() as connection:
        decision, given = last_of(connection, actor.name), last_given(connection, actor.name)
    if given is not None and (decision is None or given.at > decision.at):
        return Undoable(run_id=given.run_id)
    if decision is None:
        return None
    return Undoable(run_id=decision.run_id) if decision.run_id is not None else Undoable(decision_id=decision.id)


@needs(Role.ANALYST)
def preview_last(service: Service, actor: Actor) -> PlanPreview:
    """Preview taking back what this person did last; NotFound when there is nothing."""
    last = last_decision(service, actor)
    if last is None:
        raise NotFound("You have decided nothing that could be taken back.", kept="Nothing was changed.")
    return preview_undo(service, actor, last)


@needs(Role.ANALYST)
def preview_undo(service: Service, actor: Actor, what: Undoable) -> PlanPreview:
    """Freeze what undoing would take back, and say what is left because it was changed since. Nothing is changed yet.

    Raises NotFound when there is no such decision or run, InputError when the run is still at work.
    """
    with service.store.write() as connection:
        chosen = _chosen(connection, what)
        title, detail = chosen.title, {"decision": what.decision_id, "run": what.run_id}
        rows, values = chosen.rows, {"undone": chosen.undone}
        who = Who(actor.name, service.clock())
        return freeze_plan(connection, who, chosen.action, title=title, detail=detail, rows=rows, values=values)


def _chosen(connection: Connection, what: Undoable) -> _Chosen:
    if what.run_id is not None:
        return _chosen_run(connection, what.run_id)
    taken = read_decision(connection, what.decision_id)
    if taken is None:
        raise NotFound(f"There is no decision {what.decision_id}.", kept="Nothing was changed.")
    if taken.kind in NOT_UNDONE:
        raise InputError(
            "The sync of a row is switched in its record.", kept="Nothing was changed.", do="Open the record."
        )
    return _Chosen(f"Decision {taken.id}: {DECISION_WORDS[taken.kind]}", UNDO, targets_of_decision(), taken.id)


def _chosen_run(connection: Connection, run_id: int) -> _Chosen:
    run = get_run(connection, run_id)
    if run.is_active:
        raise InputError(
            f"Run {run_id} is still at work.", kept="Nothing was changed.", do="Wait for its end, or cancel it first."
        )
    if run.kind not in DECIDING:
        raise InputError(f"Run {run_id} decided nothing: it read what others say.", kept="Nothing was changed.")
    plan = plans.plan_of_run(connection, run_id)
    title = f"Run {run_id}: {plan.title if plan else run.kind.replace('_', ' ')}"
    if plan is not None and ACTIONS[plan.action].log is OwnerChange:
        return _Chosen(title, UNDO_OWNERS, owner_targets(), run_id)
    return _Chosen(title, UNDO, targets_of_run(), run_id)


@needs(Role.VIEWER)
def can_take_back(service: Service, actor: Actor, row: int) -> frozenset[int]:
    """Which decisions of a row hold now, so that undoing them brings back what was before."""
    with service.store.read() as connection:
        return list_holding(connection, row)


@needs(Role.ANALYST)
def take_back_now(service: Service, actor: Actor, decision_id: int) -> Row:
    """Take one decision back by hand and return the row as it is; StaleEdit, which says why, where it cannot be."""
    with service.store.write() as connection:
        return take_back(connection, Who(actor.name, service.clock()), decision_id)


def take_back(connection: Connection, who: Who, decision_id: int) -> Row:
    """Do the same inside a transaction."""
    _chosen(connection, Undoable(decision_id=decision_id))
    policy, target = read_policy(connection), read_target(connection, decision_id)
    now = read_standing(connection, policy, target.row, target.account, seen=None, terms=Terms.UNDO)
    if why := target.why or now.why:
        raise StaleEdit(
            f"{read_rows(connection, [now.id])[0].name} cannot go back to what it was: {LEFT_WORDS[why]}.",
            kept="It was left as it is.",
            do="Look at the row as it is now.",
        )
    values = row_values(target.row, target.account, undoes=decision_id, restores=target.restores)
    carry_out(connection, policy, who, Change(DecisionKind.UNDO), ROW, values)
    return read_rows(connection, [target.row])[0]
