"""Changes of many rows: previewed as a plan, confirmed as a run, done in parts that each are whole.

A plan freezes rows and versions. What moved between preview and confirmation, or between two parts, is left and listed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from w365.errors import Cancelled, InputError, NotFound
from w365.model import Actor, Role, RunKind
from w365.service import Service
from w365.service.access import needs
from w365.service.deciding.bulk_actions import ACTIONS, PlanPart
from w365.store.configuring.settings import read_policy
from w365.store.db.engine import Connection
from w365.store.deciding import plans
from w365.store.deciding.batch import Rows
from w365.store.deciding.decisions import Who
from w365.store.deciding.owners import old_owners
from w365.store.deciding.plans import Left, PlanView
from w365.store.matching.evidence import NO_VALUES, Values
from w365.store.reading.worklist import Row, read_rows
from w365.store.run_counts import Count, Counts
from w365.store.runs import Progress, RunView, get_run, request_run
from w365.store.tables import OwnerChange

AT_ONCE = 500
"""Plans of up to so many rows are done while the person waits; larger ones by the worker."""

PART = 5_000
"""Rows of a part: one transaction, for which edits wait."""
_SHOWN = 8
_LISTED = 200


@dataclass(frozen=True, slots=True)
class WouldChange:
    """A row of the preview as it is, and the account it would have, or the owner; "" for none."""

    row: Row
    account: str
    owner: str = ""


@dataclass(frozen=True, slots=True)
class PlanPreview:
    """What confirming the plan does: `sample` are the first rows it changes, with so many seats at stake in all."""

    plan: PlanView
    sample: tuple[WouldChange, ...]
    seats: int
    subscriptions: int

    @property
    def is_small(self) -> bool:
        return self.plan.would <= AT_ONCE


def freeze_plan(
    connection: Connection,
    who: Who,
    action: str,
    *,
    title: str,
    detail: dict[str, Any],
    rows: Rows,
    values: Values = NO_VALUES,
) -> PlanPreview:
    """Freeze what an action of this person would do with the selected rows, and preview it."""
    known = ACTIONS[action]
    plan_id = plans.add_plan(connection, who.name, who.at, action, title=title, detail=detail, rows=rows, values=values)
    plans.leave_changed(connection, read_policy(connection), plan_id, terms=known.terms, log=known.log)
    return _read_preview(connection, plan_id)


def _read_preview(connection: Connection, plan_id: int) -> PlanPreview:
    plan = plans.read_plan(connection, plan_id)
    first = plans.read_sample(connection, plan_id, _SHOWN)
    names = plans.account_names(connection, {row.account_id for row in first})
    accounts = {row.provider_account_id: names[row.account_id] for row in first}
    owners = _owners(connection, plan, {row.provider_account_id: row.undoes_id or 0 for row in first})
    rows = read_rows(connection, list(accounts))
    would = tuple(WouldChange(row, accounts[row.id], owners.get(row.id, "")) for row in rows)
    return PlanPreview(plan, would, *plans.read_stake(connection, plan_id))


def _owners(connection: Connection, plan: PlanView, undone: dict[int, int]) -> dict[int, str]:
    """Say whose these rows would be: of `undone` are the changes that are taken back."""
    if "owner" in plan.detail:
        return dict.fromkeys(undone, str(plan.detail["owner"]))
    if ACTIONS[plan.action].log is not OwnerChange:
        return {}
    return old_owners(connection, undone.values())


@needs(Role.ANALYST)
def confirm_plan(service: Service, actor: Actor, plan_id: int) -> int:
    """Queue the run that does a plan and return its id. InputError when it was confirmed before or changes nothing."""
    with service.store.write() as connection:
        plan = plans.read_plan(connection, plan_id)
        _refuse(plan, actor)
        kind = RunKind.UNDO if ACTIONS[plan.action].is_undo else RunKind.BULK
        run_id = request_run(connection, kind, f"{plan.title} #{plan.id}", actor.name, service.clock())
        plans.bind_run(connection, plan, run_id)
    return run_id


def _refuse(plan: PlanView, actor: Actor) -> None:
    if plan.run_id is not None:
        raise InputError(
            "This preview was confirmed already.", kept="It is done once.", do="Look at the result in Activity."
        )
    if plan.actor != actor.name:
        raise InputError(
            f"This preview is {plan.actor}'s.", kept="Nothing was changed.", do="Make a preview of your own."
        )
    if not plan.would:
        raise InputError("There is nothing to change.", kept="Nothing was changed.")


@needs(Role.VIEWER)
def read_done(service: Service, actor: Actor, run_id: int) -> tuple[RunView, PlanView]:
    """Read a run with the plan it does; NotFound for one of another kind."""
    with service.store.read() as connection:
        plan = plans.plan_of_run(connection, run_id)
        if plan is None:
            raise NotFound(f"Run {run_id} is no change of many rows.")
        return get_run(connection, run_id), plan


@needs(Role.ANALYST)
def discard_plan(service: Service, actor: Actor, plan_id: int) -> None:
    """Forget a preview that is not wanted; one that was confirmed stays."""
    with service.store.write() as connection:
        plan = plans.read_plan(connection, plan_id)
        if plan.run_id is None and plan.actor == actor.name:
            plans.drop_plan(connection, plan_id)


def run_plan(service: Service, run: RunView, progress: Progress, *, part: int = PART) -> Counts:
    """Do a confirmed plan, part by part; each part is committed whole, and a cancelled run keeps the parts done.

    One whose process ended goes on with the rows that are left.
    """
    changed = run.done
    while True:
        with service.store.write() as connection:
            plan = plans.plan_of_run(connection, run.id)
            if plan is None:
                raise InputError("The rows of this run are no longer kept.", kept="Nothing more was changed.")
            end = plans.part_end(connection, plan.id, part)
            if end is not None:
                who = Who(run.actor, service.clock(), run.id)
                changed += do_part(connection, who, plan, end)
            done = Count.TAKEN_BACK if ACTIONS[plan.action].is_undo else Count.ROWS_CHANGED
            result = Counter({done: changed, Count.LEFT: _count_left(connection, plan)})
            progress.report(connection, done=changed, result=result)
        if end is None:
            return result
        _check(progress, changed)


def _check(progress: Progress, changed: int) -> None:
    try:
        progress.check()
    except Cancelled as error:
        done = f"{changed:,} provider accounts were done before, and are kept."
        raise Cancelled(error.what, kept=done, do="Undo takes them back.") from None


def do_part(connection: Connection, who: Who, plan: PlanView, end: int) -> int:
    """Change the rows of a plan up to `end` that are still as they were previewed; return how many."""
    policy, action = read_policy(connection), ACTIONS[plan.action]
    plans.leave_changed(connection, policy, plan.id, end, terms=action.terms, log=action.log)
    action.do(PlanPart(connection, policy, who, plan, {"plan": plan.id, "end": end}))
    return plans.drop_part(connection, plan.id, end)


def _count_left(connection: Connection, plan: PlanView) -> int:
    return sum(plans.read_plan(connection, plan.id).left.values())


@needs(Role.VIEWER)
def list_left(service: Service, actor: Actor, plan_id: int, limit: int = _LISTED) -> list[Left]:
    """List the rows a plan leaves, those that somebody changed first."""
    with service.store.read() as connection:
        log = ACTIONS[plans.read_plan(connection, plan_id).action].log
        return plans.read_left(connection, plan_id, log, limit)
