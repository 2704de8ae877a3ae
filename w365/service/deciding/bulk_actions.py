"""What can be done to many rows at once. A further action is one entry of `ACTIONS`: what it plans and how it is done.

Planning is a selection over the grid's rows: for each the account it would get, if any, and why it is left, if it is.
Doing is a call on `store.deciding.batch`, whose rows are those of the plan that may be changed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from w365.errors import InputError, NotFound
from w365.model import Disposition, MatchPolicy
from w365.service.deciding.collaboration import check_owner
from w365.store import tables as t
from w365.store.deciding import batch, owners
from w365.store.deciding.decisions import Who
from w365.store.deciding.plans import Log, PlanView
from w365.store.matching.candidates import drop_candidates, order_decided
from w365.store.matching.refresh_derived import refresh

LONGEST_REASON = 500

Detail = Mapping[str, Any]
"""What a person entered for an action: `score`, `account`, `reason`, `until`, `owner`."""

Why = tuple[sa.ColumnElement[bool], str]
"""When a row is left, and the word for it (`matching.messages.LEFT_WORDS`)."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What an action means to do with each row of `worklist`; of several whys the first counts.

    `version` is what of a row must not move until it is done: its latest decision where nothing else is said.
    """

    whys: tuple[Why, ...]
    account: sa.ColumnElement[Any] | None = None
    version: sa.ColumnElement[int] | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """A part of a plan being done: its rows are the batch of this connection."""

    connection: sa.Connection
    policy: MatchPolicy
    who: Who
    plan: PlanView

    @property
    def reason(self) -> str:
        return str(self.plan.detail.get("reason", ""))


@dataclass(frozen=True, slots=True)
class Action:
    """`plan` and `say` are None for what people do not choose from the bar; `say` checks what was entered today.

    `log` is what the action appends to.
    """

    apply: Callable[[Work], None]
    plan: Callable[[Detail], Planned] | None = None
    say: Callable[[sa.Connection, Detail, dt.date], str] | None = None
    log: Log = t.Decision
    is_undo: bool = False

    def do(self, work: Work) -> None:
        """Do it, and make what is derived agree."""
        self.apply(work)
        if self.log is t.Decision:
            batch.settle_batch(work.connection, work.policy)
            order_decided(work.connection, batch.in_batch())
        else:
            refresh(work.connection, work.policy, batch.in_batch())


# --- accept the best candidate ---

_BEST, _SECOND = 1, 2


def _plan_accept(detail: Detail) -> Planned:
    best, score, next_score = _candidate("account_id", _BEST), _candidate("score", _BEST), _candidate("score", _SECOND)
    whys: tuple[Why, ...] = (
        (score.is_(None), "no_candidate"),
        (score < float(detail["score"]), "below_score"),
        (next_score >= score, "tied"),
        *_cannot_get(best),
    )
    return Planned((*_NOT_OPEN, *whys), best)


def _candidate(column: str, rank: int) -> sa.ScalarSelect[Any]:
    table = t.CurrentCandidate
    own = (table.provider_account_id == t.Worklist.provider_account_id, table.rank == rank)
    return sa.select(getattr(table, column)).where(*own).correlate(t.Worklist).scalar_subquery()


def _say_accept(_connection: sa.Connection, detail: Detail, _today: dt.date) -> str:
    score = detail.get("score")
    if not isinstance(score, float) or not 0 <= score <= 1:
        raise InputError("A score lies between 0 and 1.", kept="Nothing was changed.")
    return f"Accept the best candidate from {score:.2f}"


# --- assign to one account ---


def _plan_assign(detail: Detail) -> Planned:
    account = sa.literal(int(detail["account"]), t.Id)
    return Planned((*_NOT_OPEN, *_cannot_get(account)), account)


def _say_assign(connection: sa.Connection, detail: Detail, _today: dt.date) -> str:
    account = t.Account
    row = connection.execute(
        sa.select(account.name, account.is_active, account.is_deleted).where(account.id == detail.get("account"))
    ).one_or_none()
    if row is None or row.is_deleted or not row.is_active:
        raise NotFound(
            "This CRM account is inactive or does not exist.", kept="Nothing was changed.", do="Choose another one."
        )
    return f"Assign to {row.name}"


def _map(work: Work) -> None:
    batch.map_rows(work.connection, work.policy, work.who)


# --- set aside, clear, put back ---


def _plan_exclude(_detail: Detail) -> Planned:
    return Planned((_MAPPED, (t.Worklist.disposition == Disposition.EXCLUDED, "excluded")))


def _plan_park(_detail: Detail) -> Planned:
    return Planned((_MAPPED, (t.Worklist.disposition == Disposition.PARKED, "parked")))


def _say_exclude(_connection: sa.Connection, detail: Detail, _today: dt.date) -> str:
    return f"Exclude: {check_reason(detail)}"


def _say_park(_connection: sa.Connection, detail: Detail, today: dt.date) -> str:
    until = _day(detail)
    if until is not None and until <= today:
        raise InputError("The date is not in the future.", kept="Nothing was changed.", do="Choose a later one.")
    return f"Park{f' until {until}' if until else ''}: {check_reason(detail)}"


def _day(detail: Detail) -> dt.date | None:
    text = detail.get("until")
    return dt.date.fromisoformat(text) if text else None


def _exclude(work: Work) -> None:
    batch.set_aside_rows(work.connection, work.who, Disposition.EXCLUDED, reason=work.reason)


def _park(work: Work) -> None:
    until = _day(work.plan.detail)
    batch.set_aside_rows(work.connection, work.who, Disposition.PARKED, reason=work.reason, until=until)


def _plan_unmap(_detail: Detail) -> Planned:
    return Planned(((t.Worklist.account_id.is_(None), "not_mapped"),))


def _unmap(work: Work) -> None:
    batch.unmap_rows(work.connection, work.who, reason=work.reason)
    drop_candidates(work.connection, batch.rejected_in_batch())


def _plan_reopen(_detail: Detail) -> Planned:
    return Planned((_MAPPED, (t.Worklist.disposition == Disposition.OPEN, "open")))


def _reopen(work: Work) -> None:
    batch.reopen_rows(work.connection, work.who)


def _undo(work: Work) -> None:
    batch.undo_rows(work.connection, work.who)
    drop_candidates(work.connection, batch.rejected_in_batch())


# --- owners ---


def _plan_owner(detail: Detail) -> Planned:
    is_theirs: Why = (t.Worklist.owner == str(detail["owner"]), "same_owner")
    return Planned((is_theirs,), version=owners.owner_version(t.Worklist))


def _say_owner(_connection: sa.Connection, detail: Detail, _today: dt.date) -> str:
    owner = detail.get("owner")
    if not isinstance(owner, str):
        raise InputError("Nobody was named.", kept="Nothing was changed.", do="Name the owner, or nobody.")
    return f"Owner: {check_owner(owner) or 'nobody'}"


def _give(work: Work) -> None:
    owners.give_rows(work.connection, work.who, str(work.plan.detail["owner"]))


def _give_back(work: Work) -> None:
    owners.give_back_rows(work.connection, work.who)


# --- what several ask ---

_MAPPED: Why = (t.Worklist.account_id.is_not(None), "mapped")
_SET_ASIDE: Why = (t.Worklist.disposition.in_((Disposition.EXCLUDED, Disposition.PARKED)), "set_aside")
_NOT_OPEN: tuple[Why, ...] = (_MAPPED, _SET_ASIDE)


def _cannot_get(account: sa.ColumnElement[Any]) -> tuple[Why, ...]:
    rejection, crm = t.Rejection, sa.orm.aliased(t.Account)
    lost = sa.or_(crm.is_deleted, ~crm.is_active)
    is_rejected = sa.exists().where(
        rejection.provider_account_id == t.Worklist.provider_account_id, rejection.account_id == account
    )
    return (is_rejected, "rejected"), (sa.exists().where(crm.id == account, lost), "account_gone")


def check_reason(detail: Detail) -> str:
    """Return the reason entered; InputError for none and for one too long."""
    text = str(detail.get("reason", ""))
    if not text:
        raise InputError("A reason is needed.", kept="Nothing was changed.", do="Say why in a few words.")
    if len(text) > LONGEST_REASON:
        raise InputError(
            f"A reason may have {LONGEST_REASON} characters.", kept="Nothing was changed.", do="Shorten it."
        )
    return text


UNDO, UNDO_OWNERS = "undo", "undo_owners"

ACTIONS: Mapping[str, Action] = {
    "accept": Action(_map, _plan_accept, _say_accept),
    "assign": Action(_map, _plan_assign, _say_assign),
    "exclude": Action(_exclude, _plan_exclude, _say_exclude),
    "park": Action(_park, _plan_park, _say_park),
    "unmap": Action(_unmap, _plan_unmap, lambda *_: "Clear the mapping"),
    "reopen": Action(_reopen, _plan_reopen, lambda *_: "Reopen"),
    "owner": Action(_give, _plan_owner, _say_owner, log=t.OwnerChange),
    UNDO: Action(_undo, is_undo=True),
    UNDO_OWNERS: Action(_give_back, log=t.OwnerChange, is_undo=True),
}
