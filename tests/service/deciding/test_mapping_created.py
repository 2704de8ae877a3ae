"""An account created for a customer: in the CRM and mapped, or said to exist where it could not be mapped."""

from __future__ import annotations

from typing import Any

import pytest
from service.decision_steps import assign, everything, mappings
from service.fakes import ADMIN, ANALYST, OTHER_ANALYST, FakeCrm, id_of, make_service

from w365.errors import InputError, SourceRefused, StaleEdit
from w365.service import Service
from w365.service.deciding import mapping
from w365.service.reading import account_lookup, records
from w365.source_records import NewAccount
from w365.store.db.engine import Store


def test_a_created_account_is_in_the_crm_and_mapped(service: Service, store: Store, crm: FakeCrm) -> None:
    row_id = id_of(store, "p3")
    wanted = records.propose_account(records.read_record(service, ADMIN, row_id))
    assert wanted == NewAccount("Customer p3", website="https://three.com")
    decided = mapping.create_account(service, ANALYST, row_id, wanted, seen=0)
    assert (decided.row.account_name, decided.row.origin) == ("Customer p3", "manual")
    assert crm.held_accounts["made-3"].name == "Customer p3"


def test_a_refused_creation_changes_nothing(service: Service, store: Store, crm: FakeCrm) -> None:
    crm.refusal = SourceRefused("The CRM knows this account already.", status=412)
    before = everything(store)
    with pytest.raises(SourceRefused):
        mapping.create_account(service, ANALYST, id_of(store, "p3"), NewAccount("New"), seen=0)
    assert everything(store) == before


def test_a_stale_row_creates_no_account(service: Service, store: Store, crm: FakeCrm) -> None:
    assign(service, "p3", "a1")
    with pytest.raises(StaleEdit):
        mapping.create_account(service, OTHER_ANALYST, id_of(store, "p3"), NewAccount("New"), seen=999)
    assert "made-3" not in crm.held_accounts


def test_an_account_created_but_not_mapped_is_said_to_exist(service: Service, store: Store, crm: FakeCrm) -> None:
    class Overtaken(FakeCrm):
        def create_account(self, new: NewAccount) -> Any:
            assign(service, "p3", "a1")  # somebody else decides while the CRM is at work
            return super().create_account(new)

    overtaken = Overtaken(crm.held_accounts, crm.held_contacts)
    other = make_service(store, service.settings.home, crm=overtaken)
    with pytest.raises(InputError, match=r"“New” was created in the CRM, but not mapped: ben decided.*do not create"):
        mapping.create_account(other, OTHER_ANALYST, id_of(store, "p3"), NewAccount("New"), seen=0)
    assert mappings(store)["p3"] == ("a1", "manual")
    assert [hit.name for hit in account_lookup.search_accounts(service, ADMIN, "new")] == ["New"]
