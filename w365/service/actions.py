"""What a plan can do to its rows. A further action is one entry here, and one in `service.bulk` if people choose it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from w365.model import Disposition, MatchPolicy
from w365.service.suggesting import drop_candidates
from w365.store import batch
from w365.store.decisions import Who
from w365.store.plans import PlanView


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


def _map(work: Work) -> None:
    batch.map_rows(work.connection, work.policy, work.who)


def _exclude(work: Work) -> None:
    batch.set_aside_rows(work.connection, work.who, Disposition.EXCLUDED, reason=work.reason)


def _park(work: Work) -> None:
    text = work.plan.detail.get("until")
    until = dt.date.fromisoformat(text) if text else None
    batch.set_aside_rows(work.connection, work.who, Disposition.PARKED, reason=work.reason, until=until)


def _unmap(work: Work) -> None:
    batch.unmap_rows(work.connection, work.who, reason=work.reason)
    drop_candidates(work.connection, batch.rejected_in_batch())


def _reopen(work: Work) -> None:
    batch.reopen_rows(work.connection, work.who)


def _undo(work: Work) -> None:
    batch.undo_rows(work.connection, work.who)
    drop_candidates(work.connection, batch.rejected_in_batch())


UNDO = "undo"

APPLY: Mapping[str, Callable[[Work], None]] = {
    "accept": _map,
    "assign": _map,
    "exclude": _exclude,
    "park": _park,
    "unmap": _unmap,
    "reopen": _reopen,
    UNDO: _undo,
}
