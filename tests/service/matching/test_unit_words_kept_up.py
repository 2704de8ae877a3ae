"""Unit words as accounts come, are renamed and go: what is learned step by step is what a full match learns."""

from __future__ import annotations

from pathlib import Path

import pytest
from service.fakes import (
    ADMIN,
    FakeCrm,
    FakePortal,
    account,
    contact,
    crm_sync,
    customer,
    execute_run,
    make_service,
    pages_of,
    rows_of,
    sync,
)

from w365.model import Reason
from w365.service import Service
from w365.service.configuring.settings import set_setting
from w365.service.syncing.runs import request_match
from w365.store import tables as t
from w365.store.db.engine import Store
from w365.store.matching.unit_words import read_units


@pytest.fixture
def crm() -> FakeCrm:
    crm = FakeCrm()
    for number, group in enumerate(("Adler", "Bussard"), start=1):
        crm.put(account(f"h{number}", name=f"{group} Holding GmbH", website=f"{group.lower()}.de"))
        crm.put(account(f"l{number}", name=f"{group} Logistik GmbH"))
        crm.put(contact(f"c{number}", f"l{number}", f"{group.lower()}.de"))
    crm.put(account("x", name="Condor Logistik GmbH", website="condor.de"))
    return crm


@pytest.fixture
def service(store: Store, home: Path, crm: FakeCrm) -> Service:
    portal = FakePortal(pages_of([customer("p1", "condor.de", name="Condor Holding GmbH")]))
    made = make_service(store, home, portal=portal, crm=crm)
    set_setting(made, ADMIN, "auto_match", "true")
    crm_sync(made)
    sync(made)
    return made


def units(store: Store) -> frozenset[str]:
    with store.read() as connection:
        return read_units(connection)


def reason(store: Store) -> str:
    ((reason,),) = rows_of(store, t.Worklist.reason)
    return str(reason)


def test_a_sister_firm_is_left_to_a_person_while_the_crm_teaches_the_words(
    service: Service, store: Store, crm: FakeCrm
) -> None:
    assert units(store) == {"holding", "logistik"}
    assert reason(store) == Reason.UNIT_WORDS
    learned = rows_of(store, t.UnitWord.word, t.UnitWord.domain)
    execute_run(service, request_match(service, ADMIN, full=True))
    assert rows_of(store, t.UnitWord.word, t.UnitWord.domain) == learned
    crm.put(account("h2", name="Something else", website="bussard.de"))
    crm_sync(service)
    assert units(store) == frozenset()
    assert reason(store) == Reason.RULE


def test_a_contact_that_brings_two_firms_to_one_domain_teaches_too(
    service: Service, store: Store, crm: FakeCrm
) -> None:
    crm.drop("c2")
    crm_sync(service)
    assert (units(store), reason(store)) == (frozenset(), Reason.RULE)
    set_setting(service, ADMIN, "auto_match", "false")
    crm.put(contact("c3", "l2", "bussard.de"))
    crm_sync(service)
    assert units(store) == {"holding", "logistik"}


def test_with_the_guard_off_the_rule_holds(service: Service, store: Store) -> None:
    set_setting(service, ADMIN, "guard_unit_words", "false")
    execute_run(service, request_match(service, ADMIN))
    assert reason(store) == Reason.RULE
