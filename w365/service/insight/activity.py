"""Who did what: decisions, and who gave which row to whom; filtered and page by page."""

from __future__ import annotations

from w365.model import Actor, Role
from w365.service import Service
from w365.service.access import needs
from w365.store.insight import activity, owner_changes
from w365.store.insight.activity import ActivityFilter
from w365.store.insight.owner_changes import OwnerChangeFilter, OwnerChangeView
from w365.store.reading.decision_log import DecisionView, read_decisions_after


@needs(Role.VIEWER)
def list_decisions(
    service: Service, actor: Actor, chosen: ActivityFilter, *, start: int = 0, limit: int = 100
) -> list[DecisionView]:
    """List decisions, the latest first."""
    with service.store.read() as connection:
        return activity.list_decisions(connection, chosen, start=start, limit=limit)


@needs(Role.VIEWER)
def list_decisions_after(service: Service, actor: Actor, decision_id: int, *, limit: int = 100) -> list[DecisionView]:
    """List the decisions behind one, the oldest first, for whoever follows them."""
    with service.store.read() as connection:
        return read_decisions_after(connection, decision_id, limit=limit)


@needs(Role.VIEWER)
def count_decisions(service: Service, actor: Actor, chosen: ActivityFilter) -> int:
    with service.store.read() as connection:
        return activity.count_decisions(connection, chosen)


@needs(Role.VIEWER)
def list_actors(service: Service, actor: Actor) -> list[str]:
    """Everybody who has decided something, for the filter."""
    with service.store.read() as connection:
        return activity.list_deciders(connection)


@needs(Role.VIEWER)
def list_owner_changes(
    service: Service, actor: Actor, chosen: OwnerChangeFilter, *, start: int = 0, limit: int = 100
) -> list[OwnerChangeView]:
    """List changes, the latest first."""
    with service.store.read() as connection:
        return owner_changes.list_owner_changes(connection, chosen, start=start, limit=limit)


@needs(Role.VIEWER)
def count_owner_changes(service: Service, actor: Actor, chosen: OwnerChangeFilter) -> int:
    with service.store.read() as connection:
        return owner_changes.count_owner_changes(connection, chosen)


@needs(Role.VIEWER)
def list_givers(service: Service, actor: Actor) -> list[str]:
    """Everybody who has changed an owner, for the filter."""
    with service.store.read() as connection:
        return owner_changes.list_givers(connection)
