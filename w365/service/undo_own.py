"""Take back the decision one has just taken, by its opposite; both stay on record."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from w365.errors import InputError
from w365.model import Actor, DecisionKind, Role
from w365.service import Service, mapping
from w365.service.access import require
from w365.service.mapping import Decided
from w365.service.records import read_row
from w365.store import tables as t

_Candidates = tuple[tuple[int, int, float, list[list[object]]], ...]


@dataclass(frozen=True, slots=True)
class Before:
    """What a decision takes away and its opposite alone does not bring back: the row's stored candidates."""

    row: int
    candidates: _Candidates


def remember(service: Service, actor: Actor, row: int) -> Before:
    """Read, before a decision, what undoing it needs."""
    require(actor, Role.ANALYST)
    table = t.CurrentCandidate
    query = sa.select(table.rank, table.account_id, table.score, table.signals).where(table.provider_account_id == row)
    with service.store.read() as connection:
        return Before(row, tuple(tuple(one) for one in connection.execute(query.order_by(table.rank))))


def undo_own(service: Service, actor: Actor, decision_id: int, before: Before, *, seen: int) -> Decided:
    """Take back one's own decision; `seen` is the row's version, which differs after a later one was taken back.

    Raises InputError when somebody else took it or it has no opposite, StaleEdit when the row was decided since.
    """
    require(actor, Role.ANALYST)
    undone = _opposite(service, actor, decision_id, seen)
    _put_back(service, before)
    return Decided(undone.decision_id, read_row(service, actor, before.row))


def _opposite(service: Service, actor: Actor, decision_id: int, seen: int) -> Decided:
    with service.store.read() as connection:
        one = connection.execute(sa.select(t.Decision).where(t.Decision.id == decision_id)).one_or_none()
    if one is None or one.actor != actor.name:
        raise InputError("This decision is not yours.", kept="Nothing was changed.")
    row = one.provider_account_id
    match DecisionKind(one.kind):
        case DecisionKind.MAP if one.old_account_id is None:
            return mapping.clear_mapping(service, actor, row, seen=seen, reason="undone")
        case DecisionKind.MAP | DecisionKind.UNMAP:
            return mapping.assign_account(service, actor, row, one.old_account_id, seen=seen)
        case DecisionKind.REJECT:
            return mapping.take_back_rejection(service, actor, row, one.account_id, seen=seen)
        case DecisionKind.UNREJECT:
            return mapping.reject_candidate(service, actor, row, one.account_id, seen=seen)
        case DecisionKind.EXCLUDE | DecisionKind.PARK:
            return mapping.reopen(service, actor, row, seen=seen)
    raise InputError("This decision cannot be undone here.", kept="Nothing was changed.", do="Open the record.")


def _put_back(service: Service, before: Before) -> None:
    """Show the candidates as they were; new ones are made with the next match in any case."""
    table = t.CurrentCandidate
    rows = [
        {"provider_account_id": before.row, "rank": rank, "account_id": account, "score": score, "signals": signals}
        for rank, account, score, signals in before.candidates
    ]
    with service.store.write() as connection:
        connection.execute(sa.delete(table).where(table.provider_account_id == before.row))
        if rows:
            connection.execute(sa.insert(table), rows)
