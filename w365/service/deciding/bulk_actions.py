"""What can be done to many rows at once. A further action is one entry of `ACTIONS`: what it plans and what it decides.

Planning is a selection of the grid's rows (`store.deciding.planning`); doing is what the engine does with one row too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from w365.errors import InputError, NotFound
from w365.model import DecisionKind, Disposition, MatchPolicy, Origin
from w365.service.deciding.collaboration import check_owner
from w365.service.deciding.reasons import check_day, check_reason
from w365.store import tables as t
from w365.store.db.engine import Connection
from w365.store.deciding import owners, planning
from w365.store.deciding.decisions import Change, Who, carry_out
from w365.store.deciding.planning import PlannedAction
from w365.store.deciding.plans import PART, Log, PlanView, Terms
from w365.store.matching.evidence import Values
from w365.store.matching.refresh_derived import refresh_rows

Detail = Mapping[str, Any]
"""What a person entered for an action: `score`, `account`, `reason`, `until`, `owner`."""


@dataclass(frozen=True, slots=True)
class PlanPart:
    """A part of a plan being done: `part` is what the selection of its rows asks for."""

    connection: Connection
    policy: MatchPolicy
    who: Who
    plan: PlanView
    part: Values


@dataclass(frozen=True, slots=True)
class Action:
    """What is done with a part of a plan, and how it is planned.

    `plan` and `say` are None for what people do not choose from the bar; `say` checks what was entered today. `log` is
    what the action appends to.
    """

    do: Callable[[PlanPart], None]
    plan: Callable[[Detail], PlannedAction] | None = None
    say: Callable[[Connection, Detail, dt.date], str] | None = None
    log: Log = t.Decision
    is_undo: bool = False

    @property
    def terms(self) -> Terms:
        return Terms.UNDO if self.is_undo else Terms.BULK


def _deciding(kind: DecisionKind, origin: Origin | None = None) -> Callable[[PlanPart], None]:
    def do(work: PlanPart) -> None:
        detail = work.plan.detail
        change = Change(kind, origin, str(detail.get("reason", "")), _day(detail))
        carry_out(work.connection, work.policy, work.who, change, PART, work.part)

    return do


def _give(work: PlanPart) -> None:
    made = owners.give_rows(work.connection, work.who, str(work.plan.detail["owner"]), PART, work.part)
    refresh_rows(work.connection, work.policy, owners.given_rows(), made)


def _give_back(work: PlanPart) -> None:
    made = owners.give_back_rows(work.connection, work.who, PART, work.part)
    refresh_rows(work.connection, work.policy, owners.given_rows(), made)


def _say_accept(_connection: Connection, detail: Detail, _today: dt.date) -> str:
    score = detail.get("score")
    if not isinstance(score, float) or not 0 <= score <= 1:
        raise InputError("A score lies between 0 and 1.", kept="Nothing was changed.")
    return f"Accept the best candidate from {score:.2f}"


def _say_assign(connection: Connection, detail: Detail, _today: dt.date) -> str:
    name = planning.name_of_active(connection, detail.get("account"))
    if name is None:
        raise NotFound(
            "This CRM account is inactive or does not exist.", kept="Nothing was changed.", do="Choose another one."
        )
    return f"Assign to {name}"


def _say_exclude(_connection: Connection, detail: Detail, _today: dt.date) -> str:
    return f"Exclude: {_reason(detail)}"


def _say_park(_connection: Connection, detail: Detail, today: dt.date) -> str:
    until = _day(detail)
    check_day(until, today)
    return f"Park{f' until {until}' if until else ''}: {_reason(detail)}"


def _reason(detail: Detail) -> str:
    return check_reason(str(detail.get("reason", "")), is_needed=True)


def _day(detail: Detail) -> dt.date | None:
    text = detail.get("until")
    return dt.date.fromisoformat(text) if text else None


def _say_owner(_connection: Connection, detail: Detail, _today: dt.date) -> str:
    owner = detail.get("owner")
    if not isinstance(owner, str):
        raise InputError("Nobody was named.", kept="Nothing was changed.", do="Name the owner, or nobody.")
    return f"Owner: {check_owner(owner) or 'nobody'}"


UNDO, UNDO_OWNERS = "undo", "undo_owners"

_MAP = _deciding(DecisionKind.MAP, Origin.MANUAL)

ACTIONS: Mapping[str, Action] = {
    "accept": Action(_MAP, lambda detail: planning.plan_accept(float(detail["score"])), _say_accept),
    "assign": Action(_MAP, lambda detail: planning.plan_assign(int(detail["account"])), _say_assign),
    "exclude": Action(
        _deciding(DecisionKind.EXCLUDE), lambda _: planning.plan_set_aside(Disposition.EXCLUDED), _say_exclude
    ),
    "park": Action(_deciding(DecisionKind.PARK), lambda _: planning.plan_set_aside(Disposition.PARKED), _say_park),
    "unmap": Action(_deciding(DecisionKind.UNMAP), lambda _: planning.plan_unmap(), lambda *_: "Clear the mapping"),
    "reopen": Action(_deciding(DecisionKind.REOPEN), lambda _: planning.plan_reopen(), lambda *_: "Reopen"),
    "owner": Action(_give, lambda detail: planning.plan_owner(str(detail["owner"])), _say_owner, log=t.OwnerChange),
    UNDO: Action(_deciding(DecisionKind.UNDO), is_undo=True),
    UNDO_OWNERS: Action(_give_back, log=t.OwnerChange, is_undo=True),
}
