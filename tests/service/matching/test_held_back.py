"""What a guard holds back is nobody's mapping: it waits as the first candidate, with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from fresh_stores import make_once
from service.fakes import (
    ADMIN,
    FakeCrm,
    FakePortal,
    account,
    contact,
    crm_sync,
    customer,
    make_service,
    match,
    pages_of,
    rows_of,
    sync,
)

from w365.model import Guard
from w365.service import Service
from w365.service.configuring import settings
from w365.store import tables as t
from w365.store.configuring.settings import SPECS
from w365.store.db.engine import Store


@pytest.fixture
def crm() -> FakeCrm:
    """An account that one contact of the customer "P1" leads to; it has another name and another domain."""
    made = FakeCrm()
    made.put(account("a1", name="Fabrikam", website="fabrikam.com"), account("a2", name="Northwind"))
    made.put(contact("c1", "a1", "one.com"))
    return made


@pytest.fixture
def service(store: Store, home: Path, crm: FakeCrm) -> Service:
    made = make_service(store, home, portal=FakePortal(pages_of([customer("p1", "one.com")])), crm=crm)

    def furnish() -> None:
        settings.set_setting(made, ADMIN, "auto_match", "true")
        crm_sync(made)
        sync(made)
        match(made)

    make_once(store, "one held back", furnish, crm)
    return made


def row(store: Store) -> tuple[str, str]:
    status, reason = rows_of(store, t.Worklist.status, t.Worklist.reason)[0]
    return status, reason


def customer_name(store: Store) -> str:
    return str(rows_of(store, t.ProviderAccount.name)[0][0])


def test_it_is_unmapped_with_the_reason_and_the_first_candidate(service: Service, store: Store) -> None:
    assert row(store) == ("unmapped", "lone_contact")
    candidate = t.CurrentCandidate
    assert rows_of(store, candidate.account_id, where=candidate.rank == 1) == rows_of(
        store, t.Account.id, where=t.Account.crm_id == "a1"
    )


def test_without_the_guard_it_is_mapped_as_the_rule_says(service: Service, store: Store) -> None:
    settings.set_setting(service, ADMIN, "guard_lone_contact", "false")
    match(service)
    assert row(store) == ("mapped", "rule")


def test_a_second_contact_lifts_the_doubt(service: Service, store: Store, crm: FakeCrm) -> None:
    crm.put(contact("c2", "a1", "one.com"))
    crm_sync(service)
    match(service)
    assert row(store) == ("mapped", "rule")


def test_a_namesake_that_comes_raises_the_doubt_and_one_that_goes_lifts_it(
    service: Service, store: Store, crm: FakeCrm
) -> None:
    settings.set_settings(service, ADMIN, {"guard_lone_contact": "false", "auto_match": "false"})
    crm.put(account("a2", name=customer_name(store).upper()))
    crm_sync(service)
    match(service)
    assert row(store) == ("unmapped", "namesake")
    crm.put(account("a2", name="Northwind"))
    crm_sync(service)
    match(service)
    assert row(store) == ("unmapped", "rule")


def test_every_guard_is_a_setting_that_is_on_until_somebody_turns_it_off() -> None:
    assert {SPECS[f"guard_{guard}"].default for guard in Guard} == {"true"}
