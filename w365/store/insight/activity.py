"""Who decided what: the decisions that the Activity page lists, filtered."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from w365.model import DecisionKind
from w365.store import tables as t
from w365.store.insight.manual_decisions import is_by_hand
from w365.store.reading import decision_log
from w365.store.reading.decision_log import DecisionView
from w365.store.reading.search_index import ids_found_by, search_terms


@dataclass(frozen=True, slots=True)
class ActivityFilter:
    """Which decisions to list; empty parts do not filter. `by_hand` leaves what people decided."""

    actor: str = ""
    kinds: tuple[DecisionKind, ...] = ()
    run_id: int | None = None
    by_hand: bool = False
    text: str = ""


def list_decisions(connection: sa.Connection, chosen: ActivityFilter, *, start: int, limit: int) -> list[DecisionView]:
    return decision_log.read_decisions(connection, *_conditions(chosen), start=start, limit=limit)


def count_decisions(connection: sa.Connection, chosen: ActivityFilter) -> int:
    query = sa.select(sa.func.count()).select_from(t.Decision).where(*_conditions(chosen))
    return connection.scalar(query) or 0


def list_deciders(connection: sa.Connection) -> list[str]:
    return list(connection.scalars(sa.select(t.Decision.actor).distinct().order_by(t.Decision.actor)))


def _conditions(chosen: ActivityFilter) -> list[sa.ColumnElement[bool]]:
    decision = t.Decision
    conditions: list[sa.ColumnElement[bool]] = []
    if chosen.actor:
        conditions.append(decision.actor == chosen.actor)
    if chosen.kinds:
        conditions.append(decision.kind.in_(chosen.kinds))
    if chosen.run_id is not None:
        conditions.append(decision.run_id == chosen.run_id)
    if chosen.by_hand:
        conditions.append(is_by_hand())
    conditions.extend(_is_found_by(term) for term in search_terms(chosen.text))
    return conditions


def _is_found_by(term: str) -> sa.ColumnElement[bool]:
    """By words of the row, or of the account it was mapped to."""
    decision = t.Decision
    by_row = decision.provider_account_id.in_(ids_found_by(t.PROVIDER_ACCOUNT, term))
    return sa.or_(by_row, decision.account_id.in_(ids_found_by(t.ACCOUNT, term)))
