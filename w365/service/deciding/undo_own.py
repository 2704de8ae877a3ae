"""Take back the decision one has just taken, and bring back the candidates it took away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from w365.errors import InputError
from w365.model import Actor, Role
from w365.service import Service
from w365.service.access import needs
from w365.service.deciding.undo import take_back
from w365.store.deciding.decisions import Who
from w365.store.deciding.undoable import read_decision
from w365.store.matching.candidates import put_candidates, read_candidates
from w365.store.reading.worklist import Row, read_rows


@dataclass(frozen=True, slots=True)
class Before:
    """What a decision takes away and its opposite alone does not bring back: the row's stored candidates."""

    row: int
    candidates: tuple[Mapping[str, Any], ...]


@needs(Role.ANALYST)
def remember_candidates(service: Service, actor: Actor, row: int) -> Before:
    """Read, before a decision, what undoing it needs."""
    with service.store.read() as connection:
        return Before(row, read_candidates(connection, row))


@needs(Role.ANALYST)
def undo_own(service: Service, actor: Actor, decision_id: int, before: Before) -> Row:
    """Take back one's own decision and show the row with the candidates it had; the next match makes new ones anyway.

    Raises InputError when somebody else took it, StaleEdit when the row was changed since.
    """
    with service.store.write() as connection:
        taken = read_decision(connection, decision_id)
        if taken is None or taken.actor != actor.name:
            raise InputError("This decision is not yours.", kept="Nothing was changed.")
        take_back(connection, Who(actor.name, service.clock()), decision_id)
        put_candidates(connection, before.row, before.candidates)
        return read_rows(connection, [before.row])[0]
