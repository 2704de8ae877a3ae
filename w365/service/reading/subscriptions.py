"""Subscriptions with their state: what waits for a mapping, and what is ready."""

from __future__ import annotations

from dataclasses import dataclass

from w365.model import Actor, Role
from w365.service import Service
from w365.service.access import needs
from w365.store.reading import subscriptions as sql
from w365.store.reading.subscriptions import Amounts, Cursor, SubscriptionFilter, SubscriptionRow


@dataclass(frozen=True, slots=True)
class SubscriptionPage:
    """`following` is where the next page begins; None: this is the last."""

    rows: tuple[SubscriptionRow, ...]
    following: Cursor | None


@needs(Role.VIEWER)
def list_subscriptions(
    service: Service, actor: Actor, chosen: SubscriptionFilter, *, after: Cursor | None = None, limit: int = 100
) -> SubscriptionPage:
    """List subscriptions, the blocked ones first, within a state the customers with the most seats first."""
    with service.store.read() as connection:
        rows = sql.list_subscriptions(connection, chosen, after, limit + 1)
    shown = tuple(rows[:limit])
    return SubscriptionPage(shown, sql.cursor_of(shown[-1]) if len(rows) > limit else None)


@needs(Role.VIEWER)
def count_subscriptions(service: Service, actor: Actor, chosen: SubscriptionFilter) -> Amounts:
    """Count subscriptions, seats and provider accounts of every state under the rest of the filter."""
    with service.store.read() as connection:
        return sql.count_subscriptions(connection, chosen)
