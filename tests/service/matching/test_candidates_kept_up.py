"""Only the candidates that a change can concern are made again, and they are those that all would get."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from service.fakes import (
    ADMIN,
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
    set_domains,
    sync,
)

from w365.matching.candidates import Suggester
from w365.model import DomainList
from w365.service import Service
from w365.service.account_index import KnownAccounts
from w365.service.deciding import mapping
from w365.service.reading.same_customer import list_twins
from w365.service.syncing import providers
from w365.service.syncing.manual_entry import save_entry
from w365.source_records import CrmAccount, CrmContact, Customer, CustomerDomain
from w365.store import tables as t
from w365.store.db.engine import Store
from w365.store.matching.candidates import order_candidates

WORDS = (
    *("alder", "beacon", "cedar", "delta", "ember", "forge", "garnet", "harbor", "iron", "jade", "kestrel", "lake"),
    *("maple", "north", "ocean", "pearl", "quartz", "ridge", "sage", "tower"),
)
ENDINGS = ("com", "de", "co.uk")
CHANCE = random.Random(365)


def name() -> str:
    return " ".join(CHANCE.sample(WORDS, CHANCE.choice((2, 2, 3)))).title()


def domain() -> str:
    """The label of a domain may be a name, a word of one, or its initials."""
    words = CHANCE.sample(WORDS, 3)
    label = CHANCE.choice(("".join(words[:2]), "-".join(words[:2]), words[0], "".join(word[0] for word in words)))
    return CHANCE.choice(("", "", "mail.")) + f"{label}.{CHANCE.choice(ENDINGS)}"


@pytest.fixture
def crm() -> FakeCrm:
    made = FakeCrm(page_size=100)
    made.put(*(account(f"a{n}", name=name(), website=CHANCE.choice(("", domain()))) for n in range(120)))
    made.put(*(contact(f"c{n}", f"a{n % 120}", domain()) for n in range(200)))
    return made


@pytest.fixture
def service(store: Store, home: Path, crm: FakeCrm) -> Service:
    return filled(store, home, crm)


def filled(store: Store, home: Path, crm: FakeCrm) -> Service:
    customers = [customer(f"p{n}", *{domain(), domain()}, name=name()) for n in range(80)]
    made = make_service(store, home, portal=FakePortal(pages_of(customers)), crm=crm)
    crm_sync(made)
    sync(made)
    return made


def candidates(store: Store) -> list[tuple[object, ...]]:
    table = t.CurrentCandidate
    return rows_of(store, table.provider_account_id, table.rank, table.account_id, table.score)


def made_anew(service: Service) -> list[tuple[object, ...]]:
    """The candidates of all open rows, by an index that was read from nothing."""
    with service.store.write() as connection:
        connection.execute(sa.delete(t.CurrentCandidate))
        order_candidates(connection, sa.select(t.ProviderAccount.id))
    match(dataclasses.replace(service, accounts=KnownAccounts()))
    return candidates(service.store)


def move_a_contact(crm: FakeCrm) -> CrmContact:
    one = CHANCE.choice(list(crm.held_contacts.values()))
    return dataclasses.replace(one, domain=domain())


def move_a_website(crm: FakeCrm) -> CrmAccount:
    one = CHANCE.choice(list(crm.held_accounts.values()))
    return dataclasses.replace(one, website=domain())


@pytest.mark.parametrize("change", [move_a_contact, move_a_website])
def test_what_a_changed_domain_cannot_concern_would_stay_the_same(
    service: Service, crm: FakeCrm, change: Callable[[FakeCrm], CrmContact | CrmAccount]
) -> None:
    for _ in range(4):
        for _ in range(6):
            crm.put(change(crm))
        before = set(made_at(service.store))
        crm_sync(service)
        kept_up = candidates(service.store)
        assert before & set(made_at(service.store))  # not all were made again
        assert kept_up == made_anew(service)


def made_at(store: Store) -> list[tuple[object, ...]]:
    return rows_of(store, t.CurrentCandidate.provider_account_id, t.CurrentCandidate.version)


@pytest.mark.postgres
def test_on_postgresql_too(fresh_postgres: Store, home: Path, crm: FakeCrm) -> None:
    service = filled(fresh_postgres, home, crm)
    for _ in range(8):
        crm.put(move_a_contact(crm))
    crm_sync(service)
    assert candidates(fresh_postgres) == made_anew(service)


def test_a_new_name_is_found_without_reading_all_accounts_again(service: Service, crm: FakeCrm, store: Store) -> None:
    held = service.accounts._suggester
    wanted = rows_of(store, t.ProviderAccount.name, where=t.ProviderAccount.specific_id == "p7")[0][0]
    crm.put(dataclasses.replace(crm.held_accounts["a7"], name=wanted))
    crm_sync(service)
    assert service.accounts._suggester is held
    found = rows_of(
        store, t.CurrentCandidate.account_id, where=t.CurrentCandidate.provider_account_id == id_of(store, "p7")
    )
    assert (account_id_of(store, "a7"),) in found


def test_a_deleted_account_is_forgotten(service: Service, crm: FakeCrm, store: Store) -> None:
    gone = account_id_of(store, "a7")
    crm.drop("a7")
    crm_sync(service)
    assert gone not in {row[2] for row in made_anew_by_the_kept_index(service)}


def made_anew_by_the_kept_index(service: Service) -> list[tuple[object, ...]]:
    with service.store.write() as connection:
        order_candidates(connection, sa.select(t.ProviderAccount.id))
    match(service)
    return candidates(service.store)


def test_a_list_of_free_mail_that_changed_is_heeded(service: Service) -> None:
    held = service.accounts._suggester
    set_domains(service, DomainList.FREE_MAIL, ["alder.com"])
    made_anew_by_the_kept_index(service)
    assert service.accounts._suggester is not held


class _AskedMeanwhile(KnownAccounts):
    """While candidates are being made, somebody asks for new ones."""

    @contextmanager
    def read_up_to_now(self, connection: sa.Connection, beat: Callable[[], None]) -> Iterator[Suggester]:
        with super().read_up_to_now(connection, beat) as suggester:
            yield suggester
        if self.asks:
            self.asks = False
            with self.store.write() as other:
                order_candidates(other, sa.select(t.ProviderAccount.id).where(t.ProviderAccount.specific_id == "p7"))
                self.asked_at = other.scalar(sa.select(t.Version.number))

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store, self.asks, self.asked_at = store, True, None


def test_what_is_asked_for_while_candidates_are_made_is_not_taken_for_done(service: Service, store: Store) -> None:
    with store.write() as connection:
        order_candidates(connection, sa.select(t.ProviderAccount.id))
    asked = _AskedMeanwhile(store)
    match(dataclasses.replace(service, accounts=asked))
    made = rows_of(
        store, t.CurrentCandidate.version, where=t.CurrentCandidate.provider_account_id == id_of(store, "p7")
    )
    assert asked.asked_at is not None
    assert {row[0] for row in made} == {asked.asked_at}
    assert rows_of(store, t.SuggestDue.provider_account_id) == []


def test_more_contacts_on_a_known_domain_are_counted(store: Store, home: Path) -> None:
    crm = FakeCrm(page_size=100)
    crm.put(account("a0", name="Contoso North"), account("a1", name="Contoso South"))
    crm.put(contact("c0", "a0", "contoso.com"), contact("c1", "a1", "contoso.com"))
    service = with_contoso(store, home, crm)
    crm.put(*(contact(f"more{n}", "a1", "contoso.com") for n in range(40)))
    crm_sync(service)
    kept_up = candidates(store)
    assert kept_up[0][2] == account_id_of(store, "a1")
    assert kept_up == made_anew(service)


def test_an_account_that_was_deleted_and_is_back_is_suggested_by_a_like_domain(store: Store, home: Path) -> None:
    crm = FakeCrm(page_size=100)
    zebra = account("a0", name="Zebra Holding", website="contoso.de")
    crm.put(zebra)
    service = with_contoso(store, home, crm)
    at_first = candidates(store)
    crm.drop("a0")
    crm_sync(service)
    assert candidates(store) == []
    crm.put(zebra)
    crm_sync(service)
    assert candidates(store) == at_first == made_anew(service)


def test_how_a_customer_is_mapped_at_one_provider_speaks_for_it_at_another_as_long_as_it_is(
    store: Store, home: Path
) -> None:
    crm = FakeCrm(page_size=100)
    crm.put(account("a0", name="Zebra Holding"))
    service = with_contoso(store, home, crm)
    by_hand = providers.add_manual_provider(service, ADMIN, "By hand")
    providers.add_manual_accounts(service, ADMIN, by_hand, [providers.ManualAccount("m0", "Contoso", ("contoso.com",))])
    match(service)
    assert candidates(store) == []
    there = id_of(store, "m0")
    done = mapping.assign_account(service, ADMIN, there, account_id_of(store, "a0"), seen=0)
    match(service)
    assert [one[:3] for one in candidates(store)] == [(id_of(store, "p0"), 1, account_id_of(store, "a0"))]
    mapping.clear_mapping(service, ADMIN, there, seen=done.decision_id)
    match(service)
    assert candidates(store) == []


CONTOSO = customer("p0", "contoso.com", name="Contoso")
TENANT = "7b3f1c5e-1111-4222-8333-444455556666"
OTHER_TENANT = "7b3f1c5e-1111-4222-8333-444455557777"
UNVERIFIED = (CustomerDomain("contoso.com", is_default=True, is_verified=False),)


class _TwoProviders:
    """Contoso as `p0` at Partner Center and as `m0`, of a known tenant, at a provider by hand; one of them is mapped.

    Nothing but that speaks for the account.
    """

    def __init__(self, store: Store, home: Path) -> None:
        crm = FakeCrm(page_size=100)
        crm.put(account("a0", name="Zebra Holding"))
        self.store, self.crm, self.portal = store, crm, FakePortal(pages_of([CONTOSO]))
        self.service = make_service(store, home, portal=self.portal, crm=crm)
        crm_sync(self.service)
        sync(self.service)
        by_hand = providers.add_manual_provider(self.service, ADMIN, "By hand")
        texts = {"specific_id": "m0", "name": "Contoso", "domains": "contoso.com", "tenant_guid": TENANT}
        save_entry(self.service, ADMIN, by_hand, texts, is_new=True)

    def map(self, specific_id: str) -> None:
        row, account_id = id_of(self.store, specific_id), account_id_of(self.store, "a0")
        mapping.assign_account(self.service, ADMIN, row, account_id, seen=0)
        match(self.service)

    def list(self, *listed: Customer) -> None:
        """Partner Center lists other customers than before; what they came to is what a full rebuild comes to."""
        self.portal.served = pages_of(listed)
        sync(self.service)

    def open_rows_with_a_candidate(self) -> set[int]:
        kept_up = candidates(self.store)
        assert kept_up == made_anew(self.service)
        return {int(str(row[0])) for row in kept_up}


def check_same_customer(store: Store, home: Path, mapped: str, waiting: str, listed: list[Customer]) -> None:
    """Its mapping speaks as long as both are one customer, in the candidates and in the record alike."""
    world = _TwoProviders(store, home)
    world.map(mapped)
    row = id_of(store, waiting)
    assert world.open_rows_with_a_candidate() == {row}
    assert [twin.specific_id for twin in list_twins(world.service, ADMIN, row)] == [mapped]
    world.list(*listed)
    assert world.open_rows_with_a_candidate() == set()
    assert list_twins(world.service, ADMIN, row) == ()
    world.list(CONTOSO)
    assert world.open_rows_with_a_candidate() == {row}
    assert [twin.specific_id for twin in list_twins(world.service, ADMIN, row)] == [mapped]


NO_MORE_THE_SAME = [
    pytest.param([dataclasses.replace(CONTOSO, domains=UNVERIFIED)], id="unverified"),
    pytest.param([dataclasses.replace(CONTOSO, tenant_guid=OTHER_TENANT)], id="another tenant"),
    pytest.param([customer("p0", "fabrikam.com", name="Contoso")], id="another domain"),
    pytest.param([], id="gone"),
]


@pytest.mark.parametrize("listed", NO_MORE_THE_SAME)
@pytest.mark.parametrize(("mapped", "waiting"), [("p0", "m0"), ("m0", "p0")])
def test_a_customer_elsewhere_speaks_only_while_both_domains_are_verified_no_tenants_differ_and_neither_is_gone(
    store: Store, home: Path, mapped: str, waiting: str, listed: list[Customer]
) -> None:
    check_same_customer(store, home, mapped, waiting, listed)


@pytest.mark.postgres
@pytest.mark.parametrize("listed", NO_MORE_THE_SAME)
def test_a_customer_elsewhere_on_postgresql_too(fresh_postgres: Store, home: Path, listed: list[Customer]) -> None:
    check_same_customer(fresh_postgres, home, "p0", "m0", listed)


def test_a_tenant_that_becomes_known_makes_two_rows_one_customer(store: Store, home: Path) -> None:
    world = _TwoProviders(store, home)
    elsewhere = customer("p0", "fabrikam.com", name="Contoso")
    world.list(elsewhere)
    world.map("p0")
    assert world.open_rows_with_a_candidate() == set()
    world.list(dataclasses.replace(elsewhere, tenant_guid=TENANT))
    assert world.open_rows_with_a_candidate() == {id_of(store, "m0")}


def test_a_customer_elsewhere_speaks_again_for_an_account_that_is_back(store: Store, home: Path) -> None:
    world = _TwoProviders(store, home)
    world.map("p0")
    zebra = world.crm.held_accounts["a0"]
    world.crm.drop("a0")
    crm_sync(world.service)
    assert world.open_rows_with_a_candidate() == set()
    world.crm.put(zebra)
    crm_sync(world.service)
    assert world.open_rows_with_a_candidate() == {id_of(store, "m0")}


def test_a_domain_that_is_listed_makes_nobody_the_same_customer_until_it_is_not(store: Store, home: Path) -> None:
    world = _TwoProviders(store, home)
    world.map("p0")
    set_domains(world.service, DomainList.SHARED, ["contoso.com"])
    match(world.service)
    assert world.open_rows_with_a_candidate() == set()
    set_domains(world.service, DomainList.SHARED, [])
    match(world.service)
    assert world.open_rows_with_a_candidate() == {id_of(store, "m0")}


def with_contoso(store: Store, home: Path, crm: FakeCrm) -> Service:
    contoso = customer("p0", "contoso.com", name="Contoso")
    made = make_service(store, home, portal=FakePortal(pages_of([contoso])), crm=crm)
    crm_sync(made)
    sync(made)
    return made
