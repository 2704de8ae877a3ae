"""What the Subscriptions page says, decided without the screen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from w365.store.reading.records import SubscriptionView
from w365.store.reading.subscriptions import Amount, Amounts, SubscriptionRow, SubscriptionState, state_of
from w365.store.reading.worklist import Row
from w365.ui.deciding.record.words import say_subscription
from w365.ui.frame.wording import counted, duration, number

STATE_LABELS: Mapping[SubscriptionState, str] = {
    SubscriptionState.BLOCKED: "Blocked",
    SubscriptionState.READY: "Ready",
    SubscriptionState.ASIDE: "Set aside",
    SubscriptionState.ENDED: "Ended",
}
STATE_WORDS: Mapping[SubscriptionState, str] = {
    SubscriptionState.BLOCKED: "Blocked: provider account not mapped",
    SubscriptionState.READY: "Ready",
    SubscriptionState.ASIDE: "Set aside with its customer",
    SubscriptionState.ENDED: "Ended",
}
ABOUT: Mapping[SubscriptionState, str] = {
    SubscriptionState.BLOCKED: (
        "Their provider account is unmapped or in conflict, so nobody can be billed for them. Mapping it makes them "
        "ready. The customers with the most seats come first."
    ),
    SubscriptionState.READY: "Their provider account is mapped.",
    SubscriptionState.ASIDE: "They are live, but their customer is excluded, parked or gone at the provider.",
    SubscriptionState.ENDED: "The provider says they are neither active nor suspended.",
}
EMPTY = "There are no subscriptions yet. They come with the sync of a provider; start one on the Providers page."


def say_blocked(amount: Amount) -> str:
    """Say what waits for a mapping, the number of provider accounts first: they are what one can decide."""
    if not amount.subscriptions:
        return "**Nothing is blocked.**"
    accounts = counted(amount.accounts, "provider account blocks", "provider accounts block")
    return f"**{accounts} {counted(amount.seats, 'seat')}** in {counted(amount.subscriptions, 'subscription')}"


def say_rest(amounts: Amounts) -> str:
    ready, aside = amounts[SubscriptionState.READY], amounts[SubscriptionState.ASIDE]
    parts = [f"{counted(ready.subscriptions, 'subscription')} with {counted(ready.seats, 'seat')} ready"]
    if aside.subscriptions:
        parts.append(f"{number(aside.subscriptions)} set aside")
    return " · ".join([*parts, f"{number(amounts[SubscriptionState.ENDED].subscriptions)} ended"])


def say_loss(subscriptions: int, seats: int) -> str:
    """Say what clearing a mapping blocks; empty where it blocks nothing."""
    if not subscriptions:
        return ""
    live = counted(subscriptions, "live subscription")
    return f"Clearing blocks {live} ({counted(seats, 'seat')}) until it is mapped again."


def say_standing(subscription: SubscriptionView, row: Row) -> str:
    """Say of a subscription in the record what it is and what it waits for."""
    since = f"since {subscription.started_at:%Y-%m-%d}" if subscription.started_at else ""
    state = state_of(row.status, is_gone=row.is_gone) if subscription.is_live else SubscriptionState.ENDED
    waits = "" if state in (SubscriptionState.READY, SubscriptionState.ENDED) else STATE_WORDS[state].lower()
    return ", ".join(part for part in (say_subscription(subscription), since, waits) if part)


def table_row(row: SubscriptionRow, zone: dt.tzinfo, now: dt.datetime) -> dict[str, str | int]:
    return {
        "State": STATE_WORDS[row.state],
        "Customer": row.customer,
        "Offer": row.offer_name,
        "Quantity": row.quantity,
        "Since": _since(row, zone, now),
        "Term": row.term,
        "Status": row.status,
        "Account": row.account,
        "Provider": row.provider,
    }


def _since(row: SubscriptionRow, zone: dt.tzinfo, now: dt.datetime) -> str:
    if row.since is None:
        return ""
    return f"{row.since.astimezone(zone):%Y-%m-%d} ({duration(now - row.since)})"
