"""Who gave which row to whom, over all rows: the changes of owners for Activity."""

from __future__ import annotations

from w365.model import Actor, Role
from w365.service import Service
from w365.service.access import needs
from w365.store.insight import owner_changes
from w365.store.insight.owner_changes import OwnerChangeFilter, OwnerChangeView


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
