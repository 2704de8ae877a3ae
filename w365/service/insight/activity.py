"""Who did what: decisions and runs, filtered and page by page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from w365.model import Actor, DecisionKind, Role
from w365.service import Service
from w365.service.access import require
from w365.store import tables as t
from w365.store.insight.manual_decisions import is_by_hand
from w365.store.reading.decision_log import DecisionView, read_decisions
from w365.store.reading.search_index import ids_found_by, terms

_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class ActivityFilter:
    """Which decisions to list; empty parts do not filter. `by_hand` leaves what people decided."""

    actor: str = ""
    kinds: tuple[DecisionKind, ...] = ()
    run_id: int | None = None
    by_hand: bool = False
    text: str = ""


def list_decisions(
    service: Service, actor: Actor, wanted: ActivityFilter, *, start: int = 0, limit: int = 100
) -> list[DecisionView]:
    """List decisions, the latest first."""
    require(actor, Role.VIEWER)
    with service.store.read() as connection:
        return read_decisions(connection, _where(wanted), start=start, limit=limit)


def count_decisions(service: Service, actor: Actor, wanted: ActivityFilter) -> int:
    require(actor, Role.VIEWER)
    with service.store.read() as connection:
        query = sa.select(sa.func.count()).select_from(t.Decision).where(_where(wanted))
        return connection.scalar(query) or 0


def list_actors(service: Service, actor: Actor) -> list[str]:
    """Everybody who has decided something, for the filter."""
    require(actor, Role.VIEWER)
    with service.store.read() as connection:
        return list(connection.scalars(sa.select(t.Decision.actor).distinct().order_by(t.Decision.actor)))


def all_decisions(connection: sa.Connection, wanted: sa.ColumnElement[bool] | None = None) -> Iterator[DecisionView]:
    """Read every decision (that fits), the latest first, some at a time."""
    last: int | None = None
    while True:
        where = sa.true() if last is None else t.Decision.id < last
        batch = read_decisions(connection, sa.and_(where, *([] if wanted is None else [wanted])), limit=_BATCH)
        yield from batch
        if len(batch) < _BATCH:
            return
        last = batch[-1].id


def _where(wanted: ActivityFilter) -> sa.ColumnElement[bool]:
    decision = t.Decision
    conditions: list[sa.ColumnElement[bool]] = [sa.true()]
    if wanted.actor:
        conditions.append(decision.actor == wanted.actor)
    if wanted.kinds:
        conditions.append(decision.kind.in_(wanted.kinds))
    if wanted.run_id is not None:
        conditions.append(decision.run_id == wanted.run_id)
    if wanted.by_hand:
        conditions.append(is_by_hand())
    for term in terms(wanted.text):
        ours = decision.provider_account_id.in_(ids_found_by(t.PROVIDER_ACCOUNT, term))
        conditions.append(sa.or_(ours, decision.account_id.in_(ids_found_by(t.ACCOUNT, term))))
    return sa.and_(*conditions)
