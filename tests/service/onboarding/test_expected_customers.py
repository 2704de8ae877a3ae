"""A tenant that was asked to accept the partner is mapped when it appears, and a person's word comes before."""

from __future__ import annotations

from pathlib import Path

import pytest
from fresh_stores import make_once
from service.fakes import (
    ADMIN,
    ANALYST,
    VIEWER,
    FakeClock,
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
    rows_of,
    set_provider_cardinality,
    sync,
)

from w365.errors import InputError
from w365.model import Cardinality, Origin, Status
from w365.service import Service
from w365.service.configuring import settings
from w365.service.deciding import mapping
from w365.service.onboarding.relationships import forget_expected, list_awaited, request_relationship
from w365.service.reading import records
from w365.service.syncing import providers
from w365.service.syncing.manual_entry import save_entry
from w365.store import tables as t
from w365.store.db.engine import Store
from w365.store.reading.worklist import Filter, Row

GUID = "11111111-1111-4111-8111-0000000000aa"
LINK = "https://admin.example/invite"


class InvitingPortal(FakePortal):
    """A provider that can be asked for a link."""

    @property
    def onboarding(self) -> InvitingPortal:
        return self

    def request_link(self) -> str:
        return LINK


@pytest.fixture
def portal() -> InvitingPortal:
    return InvitingPortal(pages_of([]))


@pytest.fixture
def service(store: Store, home: Path, portal: InvitingPortal) -> Service:
    crm = FakeCrm()
    crm.put(account("a1"), account("a2"), contact("c1", "a2", "own.example"))
    made = make_service(store, home, portal=portal, crm=crm, clock=FakeClock())
    make_once(
        store,
        "two accounts and a contact",
        lambda: (settings.set_setting(made, ADMIN, "auto_match", "true"), crm_sync(made)),
        crm,
    )
    return made


def ask(service: Service, tenant: str, crm_id: str = "a1") -> str:
    return request_relationship(service, ANALYST, 1, account_id_of(service.store, crm_id), tenant)


def appear(service: Service, portal: InvitingPortal, *ids: str) -> None:
    found = [
        customer(one, "own.example", "new.onmicrosoft.com", tenant_guid=GUID, name=f"Customer {one}") for one in ids
    ]
    portal.served = pages_of(found)
    sync(service)


def rows(service: Service) -> list[Row]:
    return list(records.list_rows(service, VIEWER, Filter()))


@pytest.mark.parametrize("tenant", ["New.onmicrosoft.com ", GUID.upper()])
def test_it_is_mapped_before_the_rules_with_its_story(service: Service, portal: InvitingPortal, tenant: str) -> None:
    assert ask(service, tenant) == LINK
    assert ask(service, tenant) == LINK
    assert len(list_awaited(service, VIEWER)) == 1
    match(service)
    appear(service, portal, "p1")
    (row,) = rows(service)
    assert (row.status, row.origin, row.account_name) == (Status.MAPPED, Origin.PROVISIONED, "Account a1")
    (decision,) = records.read_record(service, VIEWER, row.id).history
    assert decision.reason.startswith(
        f"Expected: {ANALYST.name} asked the tenant {tenant.strip().lower()} on 2026-11-02 "
        "to accept the relationship for this account; run "
    )
    assert list_awaited(service, VIEWER) == []


def test_its_account_is_suggested_for_the_same_tenant_at_another_provider(
    service: Service, portal: InvitingPortal, store: Store
) -> None:
    by_hand = providers.add_manual_provider(service, ADMIN, "By hand")
    texts = {"specific_id": "m1", "name": "Elsewhere", "tenant_guid": GUID}
    row = save_entry(service, ADMIN, by_hand, texts, is_new=True)
    match(service)
    ask(service, GUID)
    appear(service, portal, "p1")
    suggested = rows_of(store, t.CurrentCandidate.account_id, where=t.CurrentCandidate.provider_account_id == row)
    assert suggested == [(account_id_of(store, "a1"),)]


def test_what_a_person_decided_comes_before(service: Service, portal: InvitingPortal) -> None:
    ask(service, GUID)
    appear(service, portal)
    with service.store.write() as connection:
        connection.execute(t.ExpectedCustomer.__table__.update().values(tenant_guid="", domain="later.example"))
    settings.set_setting(service, ADMIN, "auto_match", "false")
    appear(service, portal, "p1")
    row = id_of(service.store, "p1")
    service.clock.forward(minutes=1)  # type: ignore[attr-defined]
    mapping.reject_candidate(service, ANALYST, row, account_id_of(service.store, "a1"), seen=0)
    with service.store.write() as connection:
        connection.execute(t.ExpectedCustomer.__table__.update().values(tenant_guid=GUID))
    match(service)
    assert [one.status for one in rows(service)] == [Status.UNMAPPED]
    assert rows_of(service.store, t.ExpectedCustomer.remark) == [(f"{ANALYST.name} decided it",)]


def test_an_old_rejection_is_honoured_and_an_old_mapping_too(service: Service, portal: InvitingPortal) -> None:
    settings.set_setting(service, ADMIN, "auto_match", "false")
    appear(service, portal, "p1")
    row, a1 = id_of(service.store, "p1"), account_id_of(service.store, "a1")
    mapping.reject_candidate(service, ANALYST, row, a1, seen=0)
    with service.store.write() as connection:
        connection.execute(t.ProviderAccount.__table__.update().values(gone_at=service.clock()))
    service.clock.forward(days=1)  # type: ignore[attr-defined]
    ask(service, GUID)
    sync(service)  # it returns
    assert [one.status for one in rows(service)] == [Status.UNMAPPED]
    assert rows_of(service.store, t.ExpectedCustomer.remark) == [("this account was rejected for it",)]


def test_a_unique_policy_makes_it_wait_with_the_reason(service: Service, portal: InvitingPortal) -> None:
    ask(service, GUID)
    other = customer("p0", "own.example", tenant_guid=GUID.replace("aa", "bb"))
    portal.served = pages_of([other])
    sync(service)  # mapped to a2 by the rule
    set_provider_cardinality(service, 1, Cardinality.UNIQUE)
    with service.store.write() as connection:
        a2 = account_id_of(service.store, "a2")
        connection.execute(t.ExpectedCustomer.__table__.update().values(account_id=a2))
    portal.served = pages_of([other, customer("p1", "x.onmicrosoft.com", tenant_guid=GUID)])
    sync(service)
    (waits,) = list_awaited(service, VIEWER)
    assert "already belongs to Customer p0" in waits.remark
    forget_expected(service, ANALYST, waits.id)
    assert list_awaited(service, VIEWER) == []


def test_two_that_are_the_tenant_are_left_to_a_person(service: Service, portal: InvitingPortal) -> None:
    ask(service, GUID)
    settings.set_setting(service, ADMIN, "auto_match", "false")
    appear(service, portal, "p1", "p2")
    assert {one.status for one in rows(service)} == {Status.UNMAPPED}
    assert "both are this tenant" in list_awaited(service, VIEWER)[0].remark


def test_what_cannot_be_expected_is_refused(service: Service, portal: InvitingPortal) -> None:
    assert ask(service, " ") == LINK
    assert list_awaited(service, VIEWER) == []
    with pytest.raises(InputError, match="neither a domain nor the id"):
        ask(service, "no domain")
    appear(service, portal, "p1")
    with pytest.raises(InputError, match="is a customer of yours already: Customer p1"):
        ask(service, GUID)
