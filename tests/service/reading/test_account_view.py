"""The account view: everything that points to one CRM account, at any provider."""

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
    contact,
    crm_sync,
    customer,
    id_of,
    make_service,
    pages_of,
    subscription,
    sync,
    without_guards,
)

from w365.errors import InputError, NotFound
from w365.model import Status
from w365.service import Service
from w365.service.configuring import settings
from w365.service.configuring.crm_link import crm_address
from w365.service.deciding import mapping
from w365.service.reading.crm_account import crm_id_of, read_account
from w365.service.syncing import providers
from w365.service.syncing.providers import ManualAccount
from w365.store.db.engine import Store


@pytest.fixture
def service(store: Store, home: Path) -> Service:
    """One account with a customer at two providers, one by hand; a third customer is named like it."""
    portal = FakePortal(
        pages_of(
            [
                customer("p1", "fir.com", name="Fir Trading", subscriptions=(subscription(1, 7),)),
                customer("p2", "other.com", name="Fir Trading Works"),
            ]
        )
    )
    crm = FakeCrm()
    crm.put(account("a/1?x", name="Fir Trading", website="fir.com"), account("a2", name="Elsewhere"))
    crm.put(contact("c1", "a/1?x", "fir.com"))
    made = make_service(store, home, portal=portal, crm=crm)

    def furnish() -> None:
        without_guards(made)
        settings.set_setting(made, ADMIN, "auto_match", "true")
        crm_sync(made)
        sync(made)
        hand = providers.add_manual_provider(made, ADMIN, "By hand")
        providers.add_manual_accounts(made, ADMIN, hand, [ManualAccount("h1", "Fir hand")])
        row = id_of(store, "h1")
        mapping.assign_account(made, ANALYST, row, account_id_of(store, "a/1?x"), seen=0)

    make_once(store, "one account at two providers", furnish)
    return made


def test_mappings_of_all_providers_stand_together_with_origin_and_seats(service: Service) -> None:
    found = read_account(service, VIEWER, "a/1?x")
    assert [(row.specific_id, row.provider, row.origin, row.status) for row in found.mapped] == [
        ("p1", "Partner Center", "auto", Status.MAPPED),
        ("h1", "By hand", "manual", Status.MAPPED),
    ]
    assert (found.mapped_total, found.seats, found.contacts) == (2, 7, 1)
    assert [one.row.specific_id for one in found.suggested] == ["p2"]
    (domain,) = found.domains
    assert (domain.name, domain.customers, len(domain.facts)) == ("fir.com", 1, 2)


def test_an_account_without_anything_is_shown_and_an_unknown_one_refused(service: Service) -> None:
    found = read_account(service, VIEWER, "a2")
    assert (found.mapped, found.domains, found.seats, found.contacts) == ((), (), 0, 0)
    for wrong in ("", "a3", "x" * 500):
        with pytest.raises(NotFound):
            read_account(service, VIEWER, wrong)
    with pytest.raises(NotFound):
        crm_id_of(service, VIEWER, 999_999)


def test_the_address_in_the_crm_has_the_id_quoted(service: Service) -> None:
    one = account_id_of(service.store, "a/1?x")
    assert crm_address(service, VIEWER, one) == (
        "https://example.test/main.aspx?etn=account&pagetype=entityrecord&id=a%2F1%3Fx"
    )
    settings.set_setting(service, ADMIN, "crm_account_address", "https://crm.test/a/{id}/open")
    assert crm_address(service, VIEWER, one) == "https://crm.test/a/a%2F1%3Fx/open"
    assert crm_address(service, VIEWER, 999_999) == ""


@pytest.mark.parametrize(
    "text",
    [
        "http://crm.test/{id}",
        "javascript:alert({id})",
        "https://{id}.test/",
        "https://crm.test/",
        "https://crm.test/{id}/{id}",
        "https://a:b@crm.test/{id}",
        "https:///{id}",
        "https://crm.test/{id} x",
    ],
)
def test_an_address_that_is_none_is_refused(service: Service, text: str) -> None:
    with pytest.raises(InputError):
        settings.set_setting(service, ADMIN, "crm_account_address", text)
    assert settings.get_settings(service, VIEWER)["crm_account_address"] == ""
