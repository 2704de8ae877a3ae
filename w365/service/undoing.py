"""Undo: the last decision of a person, one old decision, or a whole run. Rows changed since are left and listed."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from w365.errors import InputError, NotFound, StaleEdit
from w365.matching.words import DECISION_WORDS
from w365.model import Actor, DecisionKind, Role, RunKind
from w365.service import Service
from w365.service.access import require
from w365.service.actions import UNDO
from w365.service.changes import Preview, do_part, read_preview
from w365.service.configuration import read_policy
from w365.store import plans
from w365.store import tables as t
from w365.store.decisions import Who
from w365.store.runs import get_run
from w365.store.undoing import last_of, targets
from w365.store.worklist import Row, read_rows

DECIDING = (RunKind.MATCH, RunKind.BULK, RunKind.UNDO, RunKind.MAPPING_IMPORT)
"""Runs that decide: the others read what others say."""


@dataclass(frozen=True, slots=True)
class Undoable:
    """What to take back: one decision, or all that a run decided."""

    decision_id: int | None = None
    run_id: int | None = None


def last_decision(service: Service, actor: Actor) -> Undoable | None:
    """What this person did last and has not taken back: a decision, or a bulk action as one; None for nothing."""
    require(actor, Role.ANALYST)
    with service.store.read() as connection:
        found = last_of(connection, actor.name)
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
        said, which = _chosen(connection, what)
        plan_id = plans.add_plan(
            connection,
            actor.name,
            service.clock(),
            UNDO,
            said=said,
            detail={"decision": what.decision_id, "run": what.run_id},
            rows=targets(which),
        )
        policy = read_policy(connection)
        plans.leave_changed(connection, policy, plan_id, must_be_active=False)
        return read_preview(connection, plan_id)


def _chosen(connection: sa.Connection, what: Undoable) -> tuple[str, sa.ColumnElement[bool]]:
    if what.run_id is not None:
        return _chosen_run(connection, what.run_id)
    decision = t.Decision
    kind = connection.scalar(sa.select(decision.kind).where(decision.id == what.decision_id))
    if kind is None:
        raise NotFound(f"There is no decision {what.decision_id}.", kept="Nothing was changed.")
    if kind in (DecisionKind.SYNC_OFF, DecisionKind.SYNC_ON):
        raise InputError(
            "The sync of a row is switched in its record.", kept="Nothing was changed.", do="Open the record."
        )
    return f"Decision {what.decision_id}: {DECISION_WORDS[DecisionKind(kind)]}", decision.id == what.decision_id


def _chosen_run(connection: sa.Connection, run_id: int) -> tuple[str, sa.ColumnElement[bool]]:
    run = get_run(connection, run_id)
    if run.is_active:
        raise InputError(
            f"Run {run_id} is still at work.", kept="Nothing was changed.", do="Wait for its end, or cancel it first."
        )
    if run.kind not in DECIDING:
        raise InputError(f"Run {run_id} decided nothing: it read what others say.", kept="Nothing was changed.")
    plan = plans.plan_of_run(connection, run_id)
    return f"Run {run_id}: {plan.said if plan else run.kind.replace('_', ' ')}", t.Decision.run_id == run_id


def take_back_now(service: Service, actor: Actor, decision_id: int) -> Row:
    """Take one decision back by hand and return the row as it is; StaleEdit when it was changed since."""
    plan = preview_undo(service, actor, Undoable(decision_id=decision_id)).plan
    with service.store.write() as connection:
        row_id = connection.scalar(sa.select(t.Decision.provider_account_id).where(t.Decision.id == decision_id)) or 0
        taken = do_part(connection, Who(actor.name, service.clock()), plan, row_id)
        plans.drop_plan(connection, plan.id)
        row = read_rows(connection, [row_id])[0]
    if not taken:
        raise StaleEdit(
            f"{row.name} was changed since, or its account is no longer free.",
            kept="It was left as it is.",
            do="Look at the row as it is now.",
        )
    return row
