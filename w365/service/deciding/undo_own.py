"""Take back the decision one has just taken, and bring back the candidates it took away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from w365.errors import InputError
from w365.model import Actor, Role
from w365.service import Service
from w365.service.access import require
from w365.service.deciding.undo import take_back_now
from w365.store import tables as t
from w365.store.reading.worklist import Row, read_rows


@dataclass(frozen=True, slots=True)
class Before:
    """What a decision takes away and its opposite alone does not bring back: the row's stored candidates."""

    row: int
    candidates: tuple[Mapping[str, Any], ...]


def remember(service: Service, actor: Actor, row: int) -> Before:
    """Read, before a decision, what undoing it needs."""
    require(actor, Role.ANALYST)
    table = t.CurrentCandidate.__table__
    with service.store.read() as connection:
        kept = connection.execute(sa.select(table).where(table.c.provider_account_id == row)).mappings()
        return Before(row, tuple(map(dict, kept)))


def undo_own(service: Service, actor: Actor, decision_id: int, before: Before) -> Row:
    """Take back one's own decision and show the row with the candidates it had; the next match makes new ones anyway.

    Raises InputError when somebody else took it, StaleEdit when the row was changed since.
    """
    require(actor, Role.ANALYST)
    with service.store.read() as connection:
        who = connection.scalar(sa.select(t.Decision.actor).where(t.Decision.id == decision_id))
    if who != actor.name:
        raise InputError("This decision is not yours.", kept="Nothing was changed.")
    take_back_now(service, actor, decision_id)
    table = t.CurrentCandidate
    with service.store.write() as connection:
        connection.execute(sa.delete(table).where(table.provider_account_id == before.row))
        if before.candidates:
            connection.execute(sa.insert(table), before.candidates)
        return read_rows(connection, [before.row])[0]
