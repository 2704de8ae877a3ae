"""Changes of owners over all rows: the latest first, by person and words, page by page; on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from fresh_stores import make_once
from service.fakes import (
    ANALYST,
    OTHER_ANALYST,
    VIEWER,
    FakePortal,
    customer,
    id_of,
    make_service,
    pages_of,
    sync,
)

from w365.service import Service
from w365.service.deciding import collaboration
from w365.service.insight.activity import count_owner_changes, list_givers, list_owner_changes
from w365.store.db.engine import Store
from w365.store.insight.owner_changes import OwnerChangeFilter


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def service(request: pytest.FixtureRequest, home: Path) -> Service:
    """Two rows; ben takes the first and gives it to Chloë; cleo gives the second to 100%er and takes it back."""
    store: Store = request.getfixturevalue("store" if request.param == "sqlite" else "fresh_postgres")
    portal = FakePortal(pages_of([customer("p1", "one.com", name="Adatum"), customer("p2", "two.com", name="Bellows")]))
    made = make_service(store, home, portal=portal)

    def furnish() -> None:
        sync(made)
        first, second = id_of(store, "p1"), id_of(store, "p2")
        for actor, row, owner in (
            (ANALYST, first, "ben"),
            (ANALYST, first, "Chloë"),
            (OTHER_ANALYST, second, "100%er"),
            (OTHER_ANALYST, second, ""),
        ):
            assert collaboration.set_owner(made, actor, row, owner)

    make_once(store, "two rows with owners", furnish)
    return made


def told(service: Service, wanted: OwnerChangeFilter, **page: int) -> list[tuple[str, ...]]:
    found = list_owner_changes(service, VIEWER, wanted, **page)
    return [(one.actor, one.provider_account, one.old_owner, one.owner) for one in found]


def test_all_changes_are_listed_the_latest_first_and_page_by_page(service: Service) -> None:
    everything = [
        ("cleo", "Bellows", "100%er", ""),
        ("cleo", "Bellows", "", "100%er"),
        ("ben", "Adatum", "ben", "Chloë"),
        ("ben", "Adatum", "", "ben"),
    ]
    assert told(service, OwnerChangeFilter()) == everything
    assert told(service, OwnerChangeFilter(), start=1, limit=2) == everything[1:3]
    assert list_givers(service, VIEWER) == ["ben", "cleo"]


@pytest.mark.parametrize(
    ("wanted", "amount"),
    [
        (OwnerChangeFilter(actor="ben"), 2),
        (OwnerChangeFilter(text="adat"), 2),
        (OwnerChangeFilter(text="chloe"), 1),
        (OwnerChangeFilter(text="bellows 100%"), 2),
        (OwnerChangeFilter(text="1_0"), 0),  # no wildcard
        (OwnerChangeFilter(actor="ben", text="bellows"), 0),
    ],
)
def test_what_is_counted_is_what_is_listed(service: Service, wanted: OwnerChangeFilter, amount: int) -> None:
    assert count_owner_changes(service, VIEWER, wanted) == len(told(service, wanted)) == amount
