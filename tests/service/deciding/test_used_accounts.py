"""The lookup says of an account that a policy allows once who has it, and by a provider's own policy too."""

from __future__ import annotations

from pathlib import Path

import pytest
from fresh_stores import make_once
from service.fakes import (
    ADMIN,
    ANALYST,
    VIEWER,
    FakeCrm,
    FakePortal,
    account,
    account_id_of,
    crm_sync,
    customer,
    id_of,
    make_service,
    pages_of,
    set_provider_cardinality,
    sync,
)

from w365.errors import PolicyBreach
from w365.model import Cardinality
from w365.service import Service
from w365.service.configuring import settings
from w365.service.deciding import mapping
from w365.service.reading import account_lookup
from w365.service.syncing import providers
from w365.store.db.engine import Store

MANY, IN_PROVIDER, UNIQUE = Cardinality.MANY, Cardinality.UNIQUE_IN_PROVIDER, Cardinality.UNIQUE
HOLDER = "Customer p1 at Partner Center"


@pytest.fixture
def service(store: Store, home: Path) -> Service:
    """One account, held by the first of two customers at one provider; a manual provider has a third."""
    crm = FakeCrm()
    crm.put(account("a1", name="Contoso"))
    made = make_service(store, home, portal=FakePortal(pages_of([customer("p1"), customer("p2")])), crm=crm)

    def furnish() -> None:
        crm_sync(made)
        sync(made)
        manual = providers.add_manual_provider(made, ADMIN, "Elsewhere")
        providers.add_manual_accounts(made, ADMIN, manual, [providers.ManualAccount("m1", "Third")])
        mapping.assign_account(made, ANALYST, id_of(store, "p1"), account_id_of(store, "a1"), seen=0)

    make_once(store, "one account held by the first of three", furnish, crm)
    return made


def set_policies(service: Service, default: Cardinality, ours: Cardinality | None, other: Cardinality | None) -> None:
    settings.set_setting(service, ADMIN, "cardinality", default.value)
    for one in providers.list_providers(service, ADMIN):
        value = other if one.name == "Elsewhere" else ours
        set_provider_cardinality(service, one.id, value)


def used_by(service: Service, row: str | None) -> str:
    asking = None if row is None else id_of(service.store, row)
    (hit,) = account_lookup.search_accounts(service, VIEWER, "contoso", row=asking)
    return hit.used_by


def may_map(service: Service, row: str) -> bool:
    row_id = id_of(service.store, row)
    try:
        mapping.assign_account(service, ANALYST, row_id, account_id_of(service.store, "a1"), seen=0)
    except PolicyBreach:
        return False
    return True


@pytest.mark.parametrize(
    ("default", "ours", "other", "in_provider", "elsewhere", "nowhere"),
    [
        (MANY, None, None, False, False, False),
        (UNIQUE, None, None, True, True, True),
        (IN_PROVIDER, None, None, True, False, True),
        (MANY, None, UNIQUE, False, True, False),  # the row that asks may not share
        (MANY, UNIQUE, None, True, True, True),  # the holder may not
        (MANY, IN_PROVIDER, None, True, False, True),
        (UNIQUE, MANY, MANY, False, False, True),
        (UNIQUE, MANY, None, False, True, True),
        (IN_PROVIDER, MANY, UNIQUE, False, True, True),
    ],
)
def test_an_account_is_shown_as_used_where_a_policy_allows_it_once(
    service: Service,
    default: Cardinality,
    ours: Cardinality | None,
    other: Cardinality | None,
    *,
    in_provider: bool,
    elsewhere: bool,
    nowhere: bool,
) -> None:
    set_policies(service, default, ours, other)
    expected = {"p1": False, "p2": in_provider, "m1": elsewhere, None: nowhere}
    assert {row: used_by(service, row) for row in expected} == {
        row: HOLDER if is_used else "" for row, is_used in expected.items()
    }
    refused = {row for row in ("p2", "m1") if not may_map(service, row)}
    assert refused <= {row for row, is_used in expected.items() if is_used}, "what is refused is said before"


def test_the_first_of_several_holders_is_named(service: Service) -> None:
    assert may_map(service, "p2")
    settings.set_setting(service, ADMIN, "cardinality", "unique")
    assert used_by(service, "m1") == HOLDER
    assert used_by(service, "p1") == "Customer p2 at Partner Center"
