"""What people set: refused or kept whole, audited with old and new, and proposed anew where it matters."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from service.fakes import (
    ADMIN,
    VIEWER,
    FakeCrm,
    FakePortal,
    account,
    contact,
    crm_sync,
    customer,
    make_service,
    pages_of,
    rows_of,
    set_domains,
    set_provider_cardinality,
    sync,
)

from w365.errors import InputError, NotFound
from w365.matching.domains import FREE_MAIL
from w365.model import Actor, Cardinality, DomainList, Role
from w365.service import Service
from w365.service.configuring import settings
from w365.service.matching import run
from w365.service.syncing import providers
from w365.store import tables as t
from w365.store.db.engine import Store


@pytest.fixture
def service(store: Store, home: Path) -> Service:
    return make_service(store, home)


def test_an_unknown_setting_is_refused_with_the_names_there_are(service: Service) -> None:
    with pytest.raises(NotFound, match=r"no setting “automatch”\. Settings: auto_match, "):
        settings.set_setting(service, ADMIN, "automatch", "true")


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("auto_match", "perhaps", "auto_match: “perhaps” is neither true nor false. The setting was not changed."),
        ("cardinality", "some", "cardinality: “some” is no policy. The"),
        ("shared_threshold", "-1", "is not a whole number"),
        ("shared_threshold", "1000001", "is not a whole number"),
        ("gone_guard_percent", "101", "is not a percentage"),
        ("full_sync_days", "0", "is not a number of days from 1 to 89"),
        ("full_sync_days", "90", "is not a number of days from 1 to 89"),
        ("tenant_guid_column", "new tenant; drop", "is not the logical name of a Dataverse column"),
    ],
)
def test_a_bad_value_is_named_and_the_old_one_kept(service: Service, name: str, value: str, told: str) -> None:
    before = settings.get_settings(service, VIEWER)
    with pytest.raises(InputError) as caught:
        settings.set_settings(service, ADMIN, {"rule_contact_domain": "false", name: value})
    assert told.removesuffix(" The") in str(caught.value)
    assert settings.get_settings(service, VIEWER) == before
    assert settings.list_changes(service, ADMIN) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("shared_threshold", "0"), ("shared_threshold", "1000000")),
        *(("gone_guard_percent", "0"), ("gone_guard_percent", "100")),
        *(("full_sync_days", "1"), ("full_sync_days", "89")),
    ],
)
def test_the_least_and_the_greatest_value_can_be_set(service: Service, name: str, value: str) -> None:
    settings.set_setting(service, ADMIN, name, value)
    assert settings.get_settings(service, VIEWER)[name] == value


def test_a_change_is_audited_with_who_old_and_new_and_once(service: Service) -> None:
    assert settings.set_setting(service, ADMIN, "auto_match", " ON ")
    assert not settings.set_setting(service, ADMIN, "auto_match", "true")
    (change,) = settings.list_changes(service, ADMIN)
    assert (change.actor, change.name, change.old_value, change.value) == ("ada", "auto_match", "false", "true")
    assert change.at == service.clock()


def test_a_providers_exception_is_audited(service: Service) -> None:
    provider = providers.find_provider(service, VIEWER, "partner center")
    set_provider_cardinality(service, provider.id, Cardinality.UNIQUE)
    (change,) = settings.list_changes(service, ADMIN)
    assert (change.name, change.old_value, change.value) == ("cardinality: Partner Center", "default", "unique")
    with pytest.raises(NotFound):
        set_provider_cardinality(service, 99, None)


# --- lists of domains ---


def test_a_domain_is_on_one_list_and_moves_from_another(service: Service) -> None:
    set_domains(service, DomainList.SHARED, ["Shared.com.", " gmail.com", ""])
    change = settings.list_changes(service, ADMIN)[0]
    assert (change.old_value, change.value) == ("removed: ", "added: gmail.com, shared.com")
    assert settings.domains_on(service, VIEWER, DomainList.SHARED) == ["gmail.com", "shared.com"]
    assert "gmail.com" not in settings.domains_on(service, VIEWER, DomainList.FREE_MAIL)
    set_domains(service, DomainList.SHARED, ["müller.de"])
    assert settings.domains_on(service, VIEWER, DomainList.SHARED) == ["xn--mller-kva.de"]
    change = settings.list_changes(service, ADMIN)[0]
    assert (change.old_value, change.value) == ("removed: gmail.com, shared.com", "added: xn--mller-kva.de")


def test_what_is_no_domain_is_named_and_the_list_stays(service: Service) -> None:
    with pytest.raises(InputError, match=r"Not a domain name: not a domain, 10\.0\.0\.1\. The list was not changed"):
        set_domains(service, DomainList.SHARED, ["good.com", "not a domain", "10.0.0.1"])
    assert settings.domains_on(service, VIEWER, DomainList.SHARED) == []


def test_a_new_database_has_the_free_mail_list_and_an_emptied_one_stays_empty(service: Service) -> None:
    assert set(settings.domains_on(service, VIEWER, DomainList.FREE_MAIL)) == FREE_MAIL
    set_domains(service, DomainList.FREE_MAIL, [])
    providers.prepare_providers(service)
    assert settings.domains_on(service, VIEWER, DomainList.FREE_MAIL) == []


def test_lists_and_threshold_change_what_is_proposed(store: Store, home: Path) -> None:
    crm = FakeCrm()
    crm.put(account("a1"), account("a2"), contact("c1", "a1", "one.com"), contact("c2", "a2", "one.com"))
    portal = FakePortal(pages_of([customer("p1", "one.com")]))
    service = make_service(store, home, portal=portal, crm=crm)
    crm_sync(service)
    sync(service)

    def reason() -> str:
        run.refresh_touched(service)
        return str(rows_of(store, t.Worklist.reason)[0][0])

    assert reason() == "several_accounts"
    settings.set_setting(service, ADMIN, "shared_threshold", "2")
    assert reason() == "shared_domain"
    crm.drop("c2")
    crm_sync(service)
    assert reason() == "rule"
    for which, expected in (
        (DomainList.EXCLUDED, "blocked_domain"),
        (DomainList.PARTNER, "blocked_domain"),
        (DomainList.FREE_MAIL, "free_mail"),
        (DomainList.SHARED, "shared_domain"),
    ):
        set_domains(service, which, ["one.com"])
        assert reason() == expected
    set_domains(service, DomainList.SHARED, [])
    assert reason() == "rule"
    settings.set_setting(service, ADMIN, "rule_contact_domain", "false")
    assert reason() == "no_account"


def test_changes_at_once_are_each_audited_with_the_value_before_them(service: Service) -> None:
    def change(number: int) -> None:
        who = Actor(f"admin {number}", Role.ADMIN)
        settings.set_setting(service, who, "shared_threshold", str(100 + number))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(change, range(8)))
    changes = settings.list_changes(service, ADMIN)[::-1]
    assert [one.old_value for one in changes] == ["10", *(one.value for one in changes[:-1])]
    assert settings.get_settings(service, VIEWER)["shared_threshold"] == changes[-1].value


# --- providers ---


def test_a_provider_is_found_by_name_or_by_a_kind_that_only_one_has(service: Service) -> None:
    assert providers.find_provider(service, VIEWER, "PARTNER CENTER").name == "Partner Center"
    assert providers.find_provider(service, VIEWER, "partner_center").name == "Partner Center"
    providers.add_manual_provider(service, ADMIN, "Ärzte")
    assert providers.find_provider(service, VIEWER, "manual").name == "Ärzte"
    providers.add_manual_provider(service, ADMIN, "Others")
    with pytest.raises(NotFound, match="Providers: Partner Center, Ärzte, Others"):
        providers.find_provider(service, VIEWER, "manual")
    with pytest.raises(InputError, match="exists already"):
        providers.add_manual_provider(service, ADMIN, "  ärzte ")


def test_rows_by_hand_are_added_all_or_none(service: Service, store: Store) -> None:
    manual = providers.add_manual_provider(service, ADMIN, "By hand")
    good = providers.ManualAccount("m1", "One", ("one.com",), "de")
    with pytest.raises(InputError, match="“not a domain” is not a domain name"):
        providers.add_manual_accounts(
            service, ADMIN, manual, [good, providers.ManualAccount("m2", "Two", ("not a domain",))]
        )
    assert rows_of(store, t.ProviderAccount.id) == []
    assert providers.add_manual_accounts(service, ADMIN, manual, [good]) == 1
    assert providers.add_manual_accounts(service, ADMIN, manual, [good]) == 0
    partner_center = providers.find_provider(service, VIEWER, "partner_center").id
    with pytest.raises(InputError, match="manual providers only"):
        providers.add_manual_accounts(service, ADMIN, partner_center, [good])
