"""Subscriptions are read by state and page, and every number is what SQL counts, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from fresh_stores import make_once
from service.fakes import (
    ADMIN,
    ANALYST,
    VIEWER,
    FakeCrm,
    FakePortal,
    account,
    account_id_of,
    contact,
    crm_sync,
    customer,
    id_of,
    make_service,
    match,
    pages_of,
    subscription,
    sync,
)

from w365.service import Service
from w365.service.configuring import settings
from w365.service.deciding import mapping
from w365.service.insight import statistics
from w365.service.reading.subscriptions import count_subscriptions, list_subscriptions
from w365.source_records import Subscription
from w365.store import tables as t
from w365.store.db.engine import Store
from w365.store.reading.subscriptions import Amount, SubscriptionFilter, SubscriptionRow, SubscriptionState

BLOCKED, READY, ASIDE, ENDED = SubscriptionState
ALL = SubscriptionFilter()


def world(store: Store, home: Path) -> Service:
    """Customers 1 to 9 with as many subscriptions; the even ones have an account. One each is parked and gone."""
    crm = FakeCrm()
    for number in range(2, 10, 2):
        crm.put(account(f"a{number}"), contact(f"c{number}", f"a{number}", f"d{number}.com"))
    listed = [
        customer(f"p{number}", f"d{number}.com", subscriptions=tuple(bought(number, place) for place in range(number)))
        for number in range(1, 10)
    ]
    portal = FakePortal(pages_of(listed))
    service = make_service(store, home, portal=portal, crm=crm)
    left = pages_of([one for one in listed if one.specific_id != "p7"])

    def furnish() -> None:
        crm_sync(service)
        settings.set_setting(service, ADMIN, "auto_match", "true")
        sync(service)
        mapping.park_row(service, ANALYST, id_of(store, "p3"), seen=0, reason="later")
        portal.served = left
        settings.set_setting(service, ADMIN, "gone_guard_percent", "100")
        sync(service)

    make_once(store, "nine customers with subscriptions", furnish, crm)
    portal.served = left
    return service


def bought(number: int, place: int) -> Subscription:
    """The first of each is cancelled; the others are spelled as either provider does."""
    return subscription(place, 10 * number + place, "expired" if place == 0 else ("active", "Active")[place % 2])


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Service:
    name = "store" if request.param == "sqlite" else "fresh_postgres"
    return world(request.getfixturevalue(name), tmp_path)


def read_all(service: Service, wanted: SubscriptionFilter, limit: int) -> list[SubscriptionRow]:
    """Turn the pages from the first to the last."""
    rows: list[SubscriptionRow] = []
    page = list_subscriptions(service, VIEWER, wanted, limit=limit)
    while True:
        rows += page.rows
        if page.following is None:
            return rows
        assert len(page.rows) == limit
        page = list_subscriptions(service, VIEWER, wanted, after=page.following, limit=limit)


def summed(rows: list[SubscriptionRow], state: SubscriptionState) -> Amount:
    found = [row for row in rows if row.state is state]
    return Amount(len(found), sum(row.quantity for row in found), len({row.provider_account_id for row in found}))


def test_every_subscription_is_listed_once_and_counted_in_its_state(service: Service) -> None:
    rows = read_all(service, ALL, 7)
    with service.store.read() as connection:
        stored = connection.scalar(sa.select(sa.func.count()).select_from(t.ProviderSubscription))
    assert len(rows) == len({(row.customer, row.subscription_id) for row in rows}) == stored == 45
    counted = count_subscriptions(service, VIEWER, ALL)
    assert counted == {state: summed(rows, state) for state in SubscriptionState}
    assert {row.customer for row in rows if row.state is ASIDE} == {"Customer p3", "Customer p7"}
    assert {row.customer for row in rows if row.state is READY} == {f"Customer p{n}" for n in (2, 4, 6, 8)}


def test_blocked_ones_come_first_and_the_most_seats_of_a_customer_first(service: Service) -> None:
    rows = read_all(service, ALL, 4)
    assert [row.state for row in rows] == sorted((row.state for row in rows), key=list(SubscriptionState).index)
    blocked = [row for row in rows if row.state is BLOCKED]
    assert [row.customer_seats for row in blocked] == sorted((row.customer_seats for row in blocked), reverse=True)
    assert blocked[0].customer == "Customer p9"
    assert rows == read_all(service, ALL, 100)


def test_what_is_blocked_is_the_number_of_the_statistics(service: Service) -> None:
    found = statistics.read_statistics(service, VIEWER)
    blocked = count_subscriptions(service, VIEWER, ALL)[BLOCKED]
    assert blocked == Amount(found.blocked_subscriptions, found.totals.blocked_seats, found.blocking)
    assert blocked.accounts == 2  # p5 and p9: p1 has none that is live


def test_mapping_makes_them_ready_and_clearing_says_how_many_are_blocked(service: Service) -> None:
    row = id_of(service.store, "p9")
    account_id = account_id_of(service.store, "a2")
    of_row = SubscriptionFilter(text="p9")
    assert count_subscriptions(service, VIEWER, of_row)[BLOCKED] == Amount(8, sum(range(91, 99)), 1)
    service.clock.forward(days=3)  # type: ignore[attr-defined]
    mapped = mapping.assign_account(service, ANALYST, row, account_id, seen=0)
    assert mapped.blocked == 0
    listed = read_all(service, SubscriptionFilter(states=(READY,), text="p9"), 100)
    assert [one.since for one in listed] == [service.clock()] * 8
    assert count_subscriptions(service, VIEWER, of_row)[BLOCKED] == Amount()
    service.clock.forward(days=1)  # type: ignore[attr-defined]
    cleared = mapping.clear_mapping(service, ANALYST, row, seen=mapped.decision_id)
    assert cleared.blocked == 8
    assert {one.since for one in read_all(service, SubscriptionFilter(states=(BLOCKED,), text="p9"), 3)} == {
        service.clock()
    }


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        (SubscriptionFilter(providers=(1,)), lambda row: row.provider == "Partner Center"),
        (SubscriptionFilter(providers=(99,)), lambda _: False),
        (SubscriptionFilter(text="p4"), lambda row: row.customer == "Customer p4"),
        (SubscriptionFilter(text="a8"), lambda row: row.account == "Account a8"),
        (SubscriptionFilter(text="p4", states=(BLOCKED,)), lambda _: False),
        (SubscriptionFilter(states=(ASIDE, ENDED)), lambda row: row.state in (ASIDE, ENDED)),
    ],
)
def test_a_filter_lists_and_counts_what_fits(
    store: Store, home: Path, wanted: SubscriptionFilter, fits: Callable[[SubscriptionRow], bool]
) -> None:
    service = world(store, home)
    expected = [row for row in read_all(service, ALL, 100) if fits(row)]
    assert read_all(service, wanted, 3) == expected
    if not wanted.states:
        assert count_subscriptions(service, VIEWER, wanted) == {
            state: summed(expected, state) for state in SubscriptionState
        }
    match(service)
    assert read_all(service, wanted, 3) == expected
