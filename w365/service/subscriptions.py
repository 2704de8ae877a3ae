"""What waits for a mapping: subscriptions with their state, and what each open provider account blocks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from w365.model import Actor, Role
from w365.service import Service
from w365.service.access import require
from w365.store import subscriptions as sql
from w365.store.subscriptions import Amount, Amounts, Cursor, SubscriptionFilter, SubscriptionRow


@dataclass(frozen=True, slots=True)
class SubscriptionPage:
    """`following` is where the next page begins; None: this is the last."""

    rows: tuple[SubscriptionRow, ...]
    following: Cursor | None


def list_subscriptions(
    service: Service, actor: Actor, wanted: SubscriptionFilter, *, after: Cursor | None = None, limit: int = 100
) -> SubscriptionPage:
    """List subscriptions, the blocked ones first, within a state the customers with the most seats first."""
    require(actor, Role.VIEWER)
    with service.store.read() as connection:
        rows = sql.list_subscriptions(connection, wanted, after, limit + 1)
    shown = tuple(rows[:limit])
    return SubscriptionPage(shown, sql.cursor_of(shown[-1]) if len(rows) > limit else None)


def count_subscriptions(service: Service, actor: Actor, wanted: SubscriptionFilter) -> Amounts:
    """Count subscriptions, seats and provider accounts of every state under the rest of the filter."""
    require(actor, Role.VIEWER)
    with service.store.read() as connection:
        return sql.count_subscriptions(connection, wanted)


def read_impact(service: Service, actor: Actor, provider_account_ids: Iterable[int]) -> dict[int, Amount]:
    """Read what each of these provider accounts blocks; those that block nothing are left out.

    A queue is put into this order by `Sort.SEATS`, descending, which needs no more than an index.
    """
    require(actor, Role.VIEWER)
    with service.store.read() as connection:
        return sql.impact_of(connection, provider_account_ids)
