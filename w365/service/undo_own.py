"""Take back the decision one has just taken, and bring back the candidates it took away."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from w365.errors import InputError
from w365.model import Actor, Role
from w365.service import Service
from w365.service.access import require
from w365.service.records import read_row
from w365.service.undoing import take_back_now
from w365.store import tables as t
from w365.store.worklist import Row

_Candidates = tuple[tuple[int, int, float, list[list[object]], int], ...]


@dataclass(frozen=True, slots=True)
class Before:
    """What a decision takes away and its opposite alone does not bring back: the row's stored candidates."""

    row: int
    candidates: _Candidates


def remember(service: Service, actor: Actor, row: int) -> Before:
    """Read, before a decision, what undoing it needs."""
    require(actor, Role.ANALYST)
    table = t.CurrentCandidate
    query = sa.select(table.rank, table.account_id, table.score, table.signals, table.version).where(
        table.provider_account_id == row
    )
    with service.store.read() as connection:
        return Before(row, tuple(tuple(one) for one in connection.execute(query.order_by(table.rank))))


def undo_own(service: Service, actor: Actor, decision_id: int, before: Before) -> Row:
    """Take back one's own decision and show the row with the candidates it had.

    Raises InputError when somebody else took it, StaleEdit when the row was changed since.
    """
    require(actor, Role.ANALYST)
    with service.store.read() as connection:
        who = connection.scalar(sa.select(t.Decision.actor).where(t.Decision.id == decision_id))
    if who != actor.name:
        raise InputError("This decision is not yours.", kept="Nothing was changed.")
    take_back_now(service, actor, decision_id)
    _put_back(service, before)
    return read_row(service, actor, before.row)


def _put_back(service: Service, before: Before) -> None:
    """Show the candidates as they were; new ones are made with the next match in any case."""
    table = t.CurrentCandidate
    rows = [
        dict(zip(("rank", "account_id", "score", "signals", "version"), one, strict=True))
        | {"provider_account_id": before.row}
        for one in before.candidates
    ]
    with service.store.write() as connection:
        connection.execute(sa.delete(table).where(table.provider_account_id == before.row))
        if rows:
            connection.execute(sa.insert(table), rows)
