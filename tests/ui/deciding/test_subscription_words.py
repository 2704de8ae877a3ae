"""What is said of subscriptions, before a mapping is cleared as well."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from stage import ROW

from w365.api.rows import row_json
from w365.model import Status
from w365.store.reading.records import SubscriptionView
from w365.store.reading.subscriptions import Amount
from w365.store.reading.worklist import Row
from w365.ui.deciding.record.subscription_words import say_blocked, say_loss, say_standing

LIVE = SubscriptionView("E3", 12, "active", "P1Y", is_live=True, started_at=dt.datetime(2025, 2, 3, tzinfo=dt.UTC))
ENDED = replace(LIVE, is_live=False)
MAPPED = replace(ROW, status=Status.MAPPED, account_id=7, origin="manual")


@pytest.mark.parametrize(
    ("row", "subscription", "said"),
    [
        (ROW, LIVE, "12 seats, active, P1Y, since 2025-02-03, blocked: provider account not mapped"),
        (MAPPED, LIVE, "12 seats, active, P1Y, since 2025-02-03"),
        (ROW, ENDED, "12 seats, active, P1Y, since 2025-02-03"),
        (replace(ROW, is_gone=True), LIVE, "12 seats, active, P1Y, since 2025-02-03, set aside with its customer"),
    ],
)
def test_the_record_says_what_a_subscription_waits_for(row: Row, subscription: SubscriptionView, said: str) -> None:
    assert say_standing(subscription, row) == said


def test_what_waits_is_said_by_what_one_can_decide() -> None:
    assert say_blocked(Amount(61, 412, 38)) == "**38 provider accounts block 412 seats** in 61 subscriptions"
    assert say_blocked(Amount(1, 1, 1)) == "**1 provider account blocks 1 seat** in 1 subscription"
    assert say_blocked(Amount()) == "**Nothing is blocked.**"


def test_clearing_says_before_what_it_blocks_and_nothing_where_nothing_is() -> None:
    assert say_loss(2, 12) == "Clearing blocks 2 live subscriptions (12 seats) until it is mapped again."
    assert say_loss(0, 0) == ""
    assert row_json(MAPPED)["clearing"] == "blocks 1 live subscription, 12 seats"
    assert row_json(ROW)["clearing"] == ""
    assert row_json(replace(MAPPED, subscriptions=0))["clearing"] == ""
