"""What counts as proof of a domain: what a provider, a contact and a field of the CRM may and may not say."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import sqlalchemy as sa
from service.fakes import (
    ADMIN,
    FakeCrm,
    FakePortal,
    account,
    contact,
    crm_sync,
    customer,
    id_of,
    make_service,
    match,
    pages_of,
    rows_of,
    sync,
    without_guards,
)

from w365.model import FREE_TEXT_KINDS, ProviderKind, Reason
from w365.service import Service
from w365.service.configuring.settings import set_setting
from w365.service.matching.run import PendingChange, make_change, try_change
from w365.service.reading.records import read_record
from w365.source_records import DEFAULT_DOMAIN, Customer, CustomerDomain
from w365.store import tables as t
from w365.store.db.engine import Store
from w365.ui.configuring.words import PROOF_WORDS
from w365.ui.deciding.record.words import say_state


def typed(specific_id: str, domain: str) -> Customer:
    free_text = (CustomerDomain(domain, is_default=True, is_free_text=True),)
    return dataclasses.replace(customer(specific_id, domain), domains=free_text, domain_source="website")


def made(store: Store, home: Path, crm: FakeCrm, *customers: Customer) -> tuple[Service, FakePortal]:
    portal = FakePortal(pages_of(list(customers)))
    service = make_service(store, home, portal=portal, crm=crm)
    without_guards(service)
    set_setting(service, ADMIN, "auto_match", "true")
    crm_sync(service)
    sync(service)
    return service, portal


def reasons(store: Store) -> dict[str, tuple[str, str]]:
    work = t.Worklist
    return {row[0]: row[1:] for row in rows_of(store, work.specific_id, work.status, work.reason)}


@pytest.fixture
def crm() -> FakeCrm:
    crm = FakeCrm()
    crm.put(account("a1"), contact("c1", "a1", "one.com"))
    return crm


def test_an_unverified_domain_does_not_map_though_the_list_repeats_it(store: Store, home: Path, crm: FakeCrm) -> None:
    unproved = (CustomerDomain("One.com.", is_verified=False), CustomerDomain("one.com"))
    claimed = dataclasses.replace(customer("p1", "one.com"), domains=unproved)
    service, portal = made(store, home, crm, claimed)
    assert reasons(store) == {"p1": ("unmapped", Reason.SERVICE_DOMAIN)}
    repeated = (CustomerDomain("one.com", is_default=True),)
    portal.served = pages_of([dataclasses.replace(claimed, domains=repeated, domain_source=DEFAULT_DOMAIN)])
    sync(service)
    assert reasons(store) == {"p1": ("unmapped", Reason.SERVICE_DOMAIN)}
    portal.served = pages_of([customer("p1", "one.com")])
    sync(service)
    assert reasons(store)["p1"][0] == "mapped"


def test_what_was_typed_at_a_provider_suggests_and_maps_only_where_an_admin_says_so(
    store: Store, home: Path, crm: FakeCrm
) -> None:
    service, _ = made(store, home, crm, typed("p1", "one.com"), typed("p2", "nobody.com"))
    assert reasons(store) == dict.fromkeys(("p1", "p2"), ("unmapped", Reason.FREE_TEXT))
    record = read_record(service, ADMIN, id_of(store, "p1"))
    assert [candidate.hit.name for candidate in record.candidates] == ["Account a1"]
    assert say_state(record).startswith("one.com was typed at the provider, and free text only suggests.")
    change = PendingChange(text_proofs={1: True})
    before, after = try_change(service, ADMIN, change)
    assert (before.total, after.total) == (0, 1)
    assert reasons(store)["p1"] == ("unmapped", Reason.FREE_TEXT)
    make_change(service, ADMIN, change)
    match(service)
    assert reasons(store) == {"p1": ("mapped", Reason.RULE), "p2": ("unmapped", Reason.NO_ACCOUNT)}
    assert sync(service).result["unchanged"] == 2
    make_change(service, ADMIN, PendingChange(text_proofs={1: False}))
    match(service)
    assert rows_of(store, t.Worklist.drift, where=t.Worklist.specific_id == "p1") == [("unsupported",)]


def test_a_deactivated_contact_is_no_evidence_until_the_setting_is_off(store: Store, home: Path, crm: FakeCrm) -> None:
    crm.put(account("a2"), dataclasses.replace(contact("c2", "a2", "two.com"), is_active=False))
    service, _ = made(store, home, crm, customer("p2", "two.com"))
    assert reasons(store) == {"p2": ("unmapped", Reason.NO_ACCOUNT)}
    set_setting(service, ADMIN, "active_contacts_only", "false")
    match(service)
    assert reasons(store)["p2"][0] == "mapped"
    crm.put(dataclasses.replace(contact("c2", "a2", "two.com"), is_active=True))
    set_setting(service, ADMIN, "active_contacts_only", "true")
    crm_sync(service)
    assert rows_of(store, t.AccountDomain.domain) == [("one.com",), ("two.com",)]


def test_a_field_that_could_not_be_read_is_named_instead_of_no_account(store: Store, home: Path, crm: FakeCrm) -> None:
    crm.put(account("a2", website="two.com / duo.com"), account("a3", email="info@three.com; mail@drei.com"))
    service, _ = made(
        store, home, crm, customer("p2", "two.com"), customer("p3", "three.com"), customer("p4", "no.com")
    )
    assert reasons(store) == {
        "p2": ("unmapped", Reason.UNREAD_FIELD),
        "p3": ("unmapped", Reason.UNREAD_FIELD),
        "p4": ("unmapped", Reason.NO_ACCOUNT),
    }
    words = say_state(read_record(service, ADMIN, id_of(store, "p2")))
    assert words.startswith("two.com (at Account a2) may stand in the e-mail or website field of the account")
    crm.put(account("a2", website="two.com"), account("a3", email="info@drei.com"))
    crm_sync(service)
    match(service)
    assert {name: row[1] for name, row in reasons(store).items()} == {
        "p2": Reason.RULE,
        "p3": Reason.NO_ACCOUNT,
        "p4": Reason.NO_ACCOUNT,
    }


def test_a_field_read_before_is_read_again_for_what_it_may_mean(store: Store, home: Path, crm: FakeCrm) -> None:
    """As after an update from a version that kept nothing of such fields: the account itself has not changed."""
    crm.put(account("a2", website="two.com / duo.com"))
    service, _ = made(store, home, crm, customer("p2", "two.com"))
    with store.write() as connection:
        connection.execute(sa.delete(t.UnreadDomain))
        connection.execute(sa.delete(t.CrmDelta))
    crm_sync(service)
    assert rows_of(store, t.UnreadDomain.domain) == [("duo.com",), ("two.com",)]


def test_the_configuration_says_of_every_kind_of_provider_what_counts() -> None:
    assert PROOF_WORDS.keys() == set(ProviderKind)
    assert set(FREE_TEXT_KINDS) < set(ProviderKind)
