"""What is planned for many rows: for each the account it would get, if any, and why it is left, if it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from w365.model import Disposition
from w365.store import tables as t
from w365.store.deciding.owners import owner_version
from w365.store.reading.worklist import Filter, is_among

Why = tuple[sa.ColumnElement[bool], str]
"""When a row is left, and the word for it (`matching.messages.LEFT_WORDS`)."""


@dataclass(frozen=True, slots=True)
class PlannedAction:
    """What is meant to be done with each row of `worklist`; of several whys the first counts.

    `version` is what of a row must not move until it is done: its latest decision where nothing else is said.
    """

    whys: tuple[Why, ...]
    account: sa.ColumnElement[Any] | None = None
    version: sa.ColumnElement[int] | None = None


def select_planned(planned: PlannedAction, ids: Sequence[int], criteria: Filter | None) -> sa.Select[*tuple[Any, ...]]:
    """Select the rows of a plan (`plans.COLUMNS`): those with these ids, or all of a filter."""
    work, nothing = t.Worklist, sa.cast(sa.null(), t.Id)
    why = sa.case(*((when, sa.literal(word)) for when, word in planned.whys), else_=sa.literal(""))
    account = nothing if planned.account is None else planned.account
    return sa.select(
        work.provider_account_id,
        (work.version if planned.version is None else planned.version).label("version"),
        account.label("account_id"),
        nothing.label("undoes_id"),
        nothing.label("restores_id"),
        why.label("why_left"),
    ).where(work.provider_account_id.in_(ids) if criteria is None else is_among(criteria))


_BEST, _SECOND = 1, 2


def plan_accept(score: float) -> PlannedAction:
    """Map each row to its best candidate, from this score on."""
    best, own, next_score = _candidate("account_id", _BEST), _candidate("score", _BEST), _candidate("score", _SECOND)
    whys: tuple[Why, ...] = (
        (own.is_(None), "no_candidate"),
        (own < score, "below_score"),
        (next_score >= own, "tied"),
        *_cannot_get(best),
    )
    return PlannedAction((*_NOT_OPEN, *whys), best)


def _candidate(column: str, rank: int) -> sa.ScalarSelect[Any]:
    table = t.CurrentCandidate
    own = (table.provider_account_id == t.Worklist.provider_account_id, table.rank == rank)
    return sa.select(getattr(table, column)).where(*own).correlate(t.Worklist).scalar_subquery()


def plan_assign(account_id: int) -> PlannedAction:
    """Map all rows to one account."""
    account = sa.literal(account_id, t.Id)
    return PlannedAction((*_NOT_OPEN, *_cannot_get(account)), account)


def plan_set_aside(kind: Disposition) -> PlannedAction:
    """Exclude or park."""
    return PlannedAction((_MAPPED, (t.Worklist.disposition == kind, kind.value)))


def plan_unmap() -> PlannedAction:
    return PlannedAction(((t.Worklist.account_id.is_(None), "not_mapped"),))


def plan_reopen() -> PlannedAction:
    return PlannedAction((_MAPPED, (t.Worklist.disposition == Disposition.OPEN, "open")))


def plan_owner(owner: str) -> PlannedAction:
    """Give all rows to one person, or to nobody."""
    return PlannedAction(((t.Worklist.owner == owner, "same_owner"),), version=owner_version(t.Worklist))


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


def name_of_active(connection: sa.Connection, account_id: Any) -> str | None:
    """The name of an account that rows can be given to; None where it is inactive or no more."""
    account = t.Account
    query = sa.select(account.name).where(account.id == account_id, account.is_active, ~account.is_deleted)
    return connection.scalar(query)
