"""Who did what: decisions, filtered and page by page."""

from __future__ import annotations

from w365.model import Actor, Role
from w365.service import Service
from w365.service.access import require
from w365.store.insight import activity
from w365.store.insight.activity import ActivityFilter
from w365.store.reading.decision_log import DecisionView


def list_decisions(
    service: Service, actor: Actor, chosen: ActivityFilter, *, start: int = 0, limit: int = 100
) -> list[DecisionView]:
    """List decisions, the latest first."""
    require(actor, Role.VIEWER)
    with service.store.read() as connection:
        return activity.list_decisions(connection, chosen, start=start, limit=limit)


def count_decisions(service: Service, actor: Actor, chosen: ActivityFilter) -> int:
    require(actor, Role.VIEWER)
    with service.store.read() as connection:
        return activity.count_decisions(connection, chosen)


def list_actors(service: Service, actor: Actor) -> list[str]:
    """Everybody who has decided something, for the filter."""
    require(actor, Role.VIEWER)
    with service.store.read() as connection:
        return activity.list_deciders(connection)
