"""The same customer at another provider, and rows entered by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
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
    match,
    pages_of,
    rows_of,
    set_domains,
    sync,
)

from w365.errors import InputError
from w365.model import DomainList, Status
from w365.service import Service
from w365.service.deciding import mapping
from w365.service.reading.records import read_record
from w365.service.reading.same_customer import list_twins
from w365.service.syncing import providers
from w365.service.syncing.manual_entry import read_entry, save_entry
from w365.store import tables as t
from w365.store.db.engine import Store

GUID = "7b3f1c5e-1111-4222-8333-444455556666"
OTHER_GUID = "7b3f1c5e-1111-4222-8333-444455557777"


def make(store: Store, home: Path) -> tuple[Service, int]:
    crm = FakeCrm()
    crm.put(account("a1", name="Ant"))
    listed = [
        replace(customer("p1", "ant.de", "ant.com"), tenant_guid=GUID),
        customer("p2", "bee.de"),
        replace(customer("p3", "cat.de"), tenant_guid=OTHER_GUID),
    ]
    service = make_service(store, home, portal=FakePortal(pages_of(listed)), crm=crm)
    crm_sync(service)
    sync(service)
    return service, providers.add_manual_provider(service, ADMIN, "Harbour")


def enter(service: Service, provider: int, specific_id: str, *, is_new: bool = True, **texts: str) -> int:
    texts = {"specific_id": specific_id, "name": f"Row {specific_id}"} | texts
    return save_entry(service, ANALYST, provider, texts, is_new=is_new)


def check_twins(store: Store, home: Path) -> None:
    service, provider = make(store, home)
    set_domains(service, DomainList.SHARED, ["bee.de"])
    by_tenant = enter(service, provider, "m1", domains="ant.de", tenant_guid=GUID)
    by_domain = enter(service, provider, "m2", domains="ant.com")
    enter(service, provider, "m3", domains="bee.de")
    other = enter(service, provider, "m4", domains="cat.de", tenant_guid=GUID)
    mapping.assign_account(service, ANALYST, id_of(store, "p1"), account_id_of(store, "a1"), seen=0)
    assert [(one.provider, one.account, one.by) for one in list_twins(service, VIEWER, by_tenant)] == [
        ("Partner Center", "Ant", "")
    ]
    assert [(one.specific_id, one.status, one.by) for one in list_twins(service, VIEWER, by_domain)] == [
        ("p1", Status.MAPPED, "ant.com")
    ]
    assert [one.specific_id for one in list_twins(service, VIEWER, other)] == ["p1"]
    assert [one.specific_id for one in list_twins(service, VIEWER, id_of(store, "p1"))] == ["m1", "m4", "m2"]
    for row in ("p2", "m3", "p3"):
        assert list_twins(service, VIEWER, id_of(store, row)) == ()
    match(service)
    candidate = read_record(service, VIEWER, by_domain).candidates[0]
    assert (candidate.hit.name, any("Partner Center" in one for one in candidate.hit.reasons)) == ("Ant", True)


def test_a_customer_is_found_at_other_providers_by_tenant_or_domain(store: Store, home: Path) -> None:
    check_twins(store, home)


@pytest.mark.postgres
def test_a_customer_is_found_on_postgresql_too(fresh_postgres: Store, home: Path) -> None:
    check_twins(fresh_postgres, home)


def test_a_row_is_entered_and_edited_by_form(store: Store, home: Path) -> None:
    service, provider = make(store, home)
    row = enter(service, provider, "m1", domains="www.elk.de, elk.com", country="se", subscriptions="2", seats="5")
    entry = read_entry(service, ANALYST, row)
    assert entry is not None
    assert entry[1] == {
        "specific_id": "m1",
        "name": "Row m1",
        "domains": "elk.de, elk.com",
        "country": "SE",
        "tenant_guid": "",
        "subscriptions": "2",
        "seats": "5",
    }
    before = rows_of(store, t.Worklist.provider_account_id, t.Worklist.seats, t.Worklist.name_key)
    assert save_entry(service, ANALYST, provider, entry[1], is_new=False) == row
    assert rows_of(store, t.ProviderAccount.changed_at, where=t.ProviderAccount.id == row) == [(None,)]
    assert rows_of(store, t.Worklist.provider_account_id, t.Worklist.seats, t.Worklist.name_key) == before
    mapping.switch_sync(service, ANALYST, row, on=False, seen=0)
    save_entry(service, ANALYST, provider, {**entry[1], "name": "Elk AB"}, is_new=False)
    assert rows_of(store, t.ProviderAccount.change, where=t.ProviderAccount.id == row) == [
        ("renamed: Row m1 → Elk AB",)
    ]
    assert read_entry(service, ANALYST, id_of(store, "p1")) is None


def test_an_entry_that_cannot_be_used_changes_nothing(store: Store, home: Path) -> None:
    service, provider = make(store, home)
    enter(service, provider, "m1")
    with pytest.raises(InputError, match="m1 is there already: Row m1"):
        enter(service, provider, "m1", name="Another")
    with pytest.raises(InputError, match=r"Provider name is missing.*; Seats is not a whole number"):
        enter(service, provider, "m2", name="", seats="few")
    with pytest.raises(InputError, match="manual providers only"):
        enter(service, 1, "m3")
    assert rows_of(store, t.ProviderAccount.name, where=t.ProviderAccount.provider_id == provider) == [("Row m1",)]
