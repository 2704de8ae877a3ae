"""Each number of the data quality is the number of the rows behind it."""

from __future__ import annotations

from pathlib import Path

import pytest
from service.fakes import (
    VIEWER,
    FakeCrm,
    FakePortal,
    account,
    contact,
    crm_sync,
    customer,
    make_service,
    pages_of,
    set_domains,
    sync,
)

from w365.model import DomainList, Reason
from w365.service import Service
from w365.service.insight.quality import list_flawed_accounts, list_shared_domains, read_quality
from w365.service.reading.records import list_rows
from w365.store.insight.quality import Flaw
from w365.store.reading.worklist import Filter


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Service:
    crm = FakeCrm()
    crm.put(*(account(f"a{n}") for n in range(1, 9)), account("gone", is_active=False))
    crm.put(
        account("w1", website="twice.com"), account("w2", website="www.twice.com"), account("w3", website="hall.com")
    )
    # a1 has none; a2 free mail only; a3 free mail and no address; a4 free mail and its own; a5, a6 share two domains
    crm.put(contact("c2", "a2", "gmail.com"), contact("c2b", "a2", "outlook.com"))
    crm.put(contact("c3", "a3", "gmail.com"), contact("c3b", "a3", ""))
    crm.put(contact("c4", "a4", "gmail.com"), contact("c4b", "a4", "own.com"))
    crm.put(*(contact(f"c{n}{domain}", f"a{n}", domain) for n in (5, 6) for domain in ("both.com", "hall.com")))
    crm.put(contact("c7", "a7", "gmail.com"), contact("c8", "a8", ""))
    listed = [
        customer("none"),
        customer("service", "x.onmicrosoft.com"),
        customer("free", "gmail.com"),
        customer("own", "o.de"),
    ]
    store = request.getfixturevalue("store" if request.param == "sqlite" else "fresh_postgres")
    made = make_service(store, tmp_path, portal=FakePortal(pages_of(listed)), crm=crm)
    set_domains(made, DomainList.SHARED, ["hall.com"])
    crm_sync(made)
    sync(made)
    return made


def test_each_number_is_that_of_the_rows_behind_it(service: Service) -> None:
    found = read_quality(service, VIEWER)
    assert found.customers == {Reason.NO_DOMAIN: 1, Reason.SERVICE_DOMAIN: 1, Reason.FREE_MAIL: 1}
    for reason, amount in found.customers.items():
        assert len(list_rows(service, VIEWER, Filter(reasons=(reason,)))) == amount
    without = [one.name for one in list_flawed_accounts(service, VIEWER, Flaw.NO_CONTACT)]
    assert without == ["Account a1", "Account w1", "Account w2", "Account w3"]
    free = {one.name: one.contacts for one in list_flawed_accounts(service, VIEWER, Flaw.FREE_MAIL_ONLY)}
    assert free == {"Account a2": 2, "Account a3": 1, "Account a7": 1}
    shared = [(one.domain, one.accounts, one.names) for one in list_shared_domains(service, VIEWER)]
    assert shared == [("both.com", 2, ("Account a5", "Account a6")), ("twice.com", 2, ("Account w1", "Account w2"))]
    assert found.flaws == {Flaw.NO_CONTACT: len(without), Flaw.FREE_MAIL_ONLY: len(free), Flaw.DUPLICATE: len(shared)}


def test_the_rows_come_page_by_page(service: Service) -> None:
    pages = [list_flawed_accounts(service, VIEWER, Flaw.NO_CONTACT, start=at, limit=3) for at in (0, 3, 6)]
    assert [len(page) for page in pages] == [3, 1, 0]
    assert [one.domain for one in list_shared_domains(service, VIEWER, start=1, limit=1)] == ["twice.com"]
