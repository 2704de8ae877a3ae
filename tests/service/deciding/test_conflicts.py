"""Conflicts: what points to two places is listed with its effect, and each way to settle it does what it says."""

from __future__ import annotations

from pathlib import Path

import pytest
from fresh_stores import make_once
from service.fakes import (
    ADMIN,
    ANALYST,
    OTHER_ANALYST,
    VIEWER,
    FakeCrm,
    FakePortal,
    account,
    account_id_of,
    add_domain,
    contact,
    crm_sync,
    customer,
    id_of,
    make_service,
    match,
    pages_of,
    rows_of,
    set_domains,
    set_provider_cardinality,
    subscription,
    sync,
)

from w365.errors import InputError
from w365.jobs import execute_run
from w365.model import Actor, Cardinality, DecisionKind, DomainList, Rule, Status
from w365.service import Service
from w365.service.configuring import settings
from w365.service.deciding import conflicts, mapping
from w365.service.deciding.bulk_preview import Selection, preview_bulk
from w365.service.deciding.bulk_run import PlanPreview, confirm_plan, list_left
from w365.service.matching import run
from w365.service.matching.run import PendingChange, make_change
from w365.service.reading import records
from w365.service.syncing import providers
from w365.source_records import Customer
from w365.store import tables as t
from w365.store.db.engine import Store
from w365.store.deciding.conflict_pages import Conflicts, PageNumbers
from w365.store.reading.worklist import Row

GUIDS = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")


def world(store: Store, home: Path, customers: list[Customer], *things: object) -> Service:
    """These customers, and accounts and contacts, synced with Auto-Match on."""
    crm = FakeCrm()
    crm.put(*things)  # type: ignore[arg-type]
    service = make_service(store, home, portal=FakePortal(pages_of(customers)), crm=crm)

    def furnish() -> None:
        settings.set_setting(service, ADMIN, "auto_match", "true")
        crm_sync(service)
        sync(service)

    make_once(store, f"{customers} {things}", furnish, crm)
    return service


def divided(store: Store, home: Path) -> Service:
    """two.com on two accounts divides two customers with seats, six.com one; one.com is clear."""
    listed = [
        customer("p1", "one.com"),
        customer("p2", "two.com", subscriptions=(subscription(1, 7),)),
        customer("p3", "three.com", "two.com", subscriptions=(subscription(1, 5),)),
        customer("p4", "six.com"),
    ]
    things = (
        account("a1", website="one.com"),
        account("a2", website="two.com", number="A-2", city="Ulm"),
        account("a3"),
        account("a4", is_active=False, website="one.com"),
        account("a5", website="six.com"),
        account("a6", website="six.com"),
        contact("c1", "a2", "two.com"),
        contact("c2", "a3", "two.com"),
        contact("c3", "a3", "two.com"),
    )
    return world(store, home, listed, *things)


@pytest.fixture
def service(store: Store, home: Path) -> Service:
    return divided(store, home)


def look(service: Service, pages: PageNumbers | None = None, limit: int = 5) -> Conflicts:
    run.refresh_touched(service)
    return conflicts.list_conflicts(service, VIEWER, pages, limit=limit)


def check_divided(service: Service) -> None:
    found = look(service).domains
    assert [(one.domain, one.accounts, one.rows, one.seats) for one in found.groups] == [
        ("two.com", 2, 2, 12),
        ("six.com", 2, 1, 0),
    ]
    assert found.total == 2
    uses = [(one.name, one.number, one.city, one.rules, one.contacts) for one in found.groups[0].uses]
    assert uses == [
        ("Account a3", "", "", (Rule.CONTACT_DOMAIN,), 2),
        ("Account a2", "A-2", "Ulm", (Rule.ACCOUNT_WEBSITE, Rule.CONTACT_DOMAIN), 1),
    ]
    assert [one.specific_id for one in found.groups[0].listed] == ["p2", "p3"]
    assert [one.specific_id for one in conflicts.rows_of_domain(service, VIEWER, "two.com")] == ["p2", "p3"]


def test_a_domain_on_several_accounts_stands_with_its_rows_and_seats(service: Service) -> None:
    check_divided(service)


def test_each_kind_is_read_in_pages(service: Service) -> None:
    second = look(service, PageNumbers(domains=1), limit=1).domains
    assert [(one.domain, second.total) for one in second.groups] == [("six.com", 2)]
    beyond = look(service, PageNumbers(domains=9), limit=1).domains
    assert [one.domain for one in beyond.groups] == ["two.com"]


def test_without_conflicts_everything_is_empty(store: Store, home: Path) -> None:
    found = look(world(store, home, [customer("p1", "one.com")], account("a1", website="one.com")))
    assert found.total == 0
    assert found.domains.groups == found.customers.groups == found.accounts.groups == found.suspects.groups == ()


def test_a_customer_whose_domains_lead_apart_is_no_domain_on_several_accounts(store: Store, home: Path) -> None:
    things = (account("a1", website="one.com"), account("a2", website="two.com"))
    service = world(store, home, [customer("p1", "one.com", "two.com")], *things)
    assert records.read_row(service, VIEWER, id_of(store, "p1")).status is Status.CONFLICT
    assert look(service).domains.total == 0


# --- choosing the account ---


def preview(service: Service, domain: str, crm_id: str, actor: Actor = ANALYST) -> PlanPreview:
    rows = conflicts.rows_of_domain(service, VIEWER, domain)
    return preview_rows(service, rows, crm_id, actor)


def preview_rows(service: Service, rows: list[Row], crm_id: str, actor: Actor = ANALYST) -> PlanPreview:
    detail = {"account": account_id_of(service.store, crm_id)}
    return preview_bulk(service, actor, Selection(tuple(row.id for row in rows)), "assign", detail)


def choose(service: Service, what: PlanPreview) -> tuple[int, list[tuple[str, str, str, DecisionKind | None]]]:
    """Map what was previewed, and say of how many rows, and who was left: why, by whom it was decided, and what."""
    run = execute_run(service, confirm_plan(service, ANALYST, what.plan.id))
    left = list_left(service, VIEWER, what.plan.id)
    return run.result["rows_changed"], [(one.provider_account, one.why, one.by, one.kind) for one in left]


def test_choosing_the_account_maps_the_rows_by_one_decision_each(service: Service, store: Store) -> None:
    assert choose(service, preview(service, "two.com", "a3")) == (2, [])
    decided = rows_of(store, t.Decision.actor, t.Decision.origin, where=t.Decision.actor == "ben")
    assert decided == [("ben", "manual")] * 2
    assert [one.domain for one in look(service).domains.groups] == ["six.com"]


def test_what_somebody_decided_meanwhile_is_left_and_named(service: Service, store: Store) -> None:
    rows = conflicts.rows_of_domain(service, ANALYST, "two.com")
    shown = preview_rows(service, rows, "a3")
    mapping.exclude_row(service, OTHER_ANALYST, rows[0].id, seen=rows[0].version, reason="test tenant")
    assert choose(service, shown) == (1, [("Customer p2", "changed", "cleo", DecisionKind.EXCLUDE)])
    assert records.read_row(service, VIEWER, rows[0].id).status is Status.EXCLUDED


def test_a_row_for_which_the_account_was_rejected_is_left(service: Service, store: Store) -> None:
    row_id = id_of(store, "p2")
    mapping.reject_candidate(service, ANALYST, row_id, account_id_of(store, "a3"), seen=0)
    assert choose(service, preview(service, "two.com", "a3")) == (1, [("Customer p2", "rejected", "", None)])


def test_under_a_unique_policy_the_account_is_chosen_for_one_row_alone(service: Service) -> None:
    settings.set_setting(service, ADMIN, "cardinality", "unique")
    run.refresh_touched(service)
    rows = conflicts.rows_of_domain(service, ANALYST, "two.com")
    both = preview_rows(service, rows, "a3").plan
    assert (both.would, both.left) == (0, {"contested": 2})
    assert choose(service, preview_rows(service, rows[:1], "a3")) == (1, [])
    other = preview_rows(service, rows[1:], "a3").plan
    assert (other.would, other.left) == (0, {"taken": 1})


# --- changing the lists ---


def test_one_domain_is_added_to_a_list_that_stays_otherwise(service: Service) -> None:
    set_domains(service, DomainList.SHARED, ["old.com"])
    add_domain(service, DomainList.SHARED, "Two.com.")
    changes = settings.list_changes(service, VIEWER)
    add_domain(service, DomainList.SHARED, "two.com")
    assert settings.list_changes(service, VIEWER) == changes
    assert settings.domains_on(service, VIEWER, DomainList.SHARED) == ["old.com", "two.com"]
    add_domain(service, DomainList.EXCLUDED, "two.com")
    assert settings.domains_on(service, VIEWER, DomainList.SHARED) == ["old.com"]
    change = settings.list_changes(service, ADMIN)[0]
    assert (change.actor, change.name, change.value) == ("ada", "domains: excluded", "added: two.com")
    assert change.old_value == "was on: shared"


@pytest.mark.parametrize("text", ["", " ", "not a domain", "192.0.2.1"])
def test_what_is_no_domain_is_not_added(service: Service, text: str) -> None:
    with pytest.raises(InputError):
        add_domain(service, DomainList.SHARED, text)


def test_what_adding_a_domain_would_settle_is_seen_before_and_is_what_it_settles(service: Service) -> None:
    change = PendingChange(added={DomainList.SHARED: ("two.com",)})
    before, after = run.try_change(service, ADMIN, change)
    assert before.conflicts - after.conflicts == 2
    assert look(service).domains.total == 2
    make_change(service, ADMIN, change)
    assert [one.domain for one in look(service).domains.groups] == ["six.com"]
    assert run.preview_match(service, VIEWER).conflicts == after.conflicts


# --- the other kinds ---


def several_customers(store: Store, home: Path) -> Service:
    """same.com at two customers of one provider; guid.com at two tenants of two; twin.com is one tenant at two."""
    listed = [
        customer("p1", "same.com", subscriptions=(subscription(1, 3),)),
        customer("p2", "same.com", subscriptions=(subscription(1, 4),)),
        customer("p3", "guid.com", tenant_guid=GUIDS[0]),
        customer("p4", "twin.com", tenant_guid=GUIDS[1]),
        customer("p5", "gmail.com"),
        customer("p6", "gmail.com"),
    ]
    service = world(store, home, listed)
    other = providers.add_manual_provider(service, ADMIN, "Other")
    rows = [
        providers.ManualAccount("m1", "M1", ("guid.com",)),
        providers.ManualAccount("m2", "M2", ("twin.com",)),
    ]
    providers.add_manual_accounts(service, ADMIN, other, rows)
    with store.write() as connection:
        for name, guid in (("m1", GUIDS[1]), ("m2", GUIDS[1])):
            pa = t.ProviderAccount
            connection.execute(pa.__table__.update().where(pa.specific_id == name).values(tenant_guid=guid))
    match(service)
    return service


def check_several_customers(service: Service) -> None:
    found = look(service).customers
    assert [(one.domain, one.customers, one.rows, one.seats) for one in found.groups] == [
        ("guid.com", 2, 2, 0),
        ("same.com", 2, 2, 7),
    ]
    assert [[row.specific_id for row in one.listed] for one in found.groups] == [["p3", "m1"], ["p1", "p2"]]


def test_a_domain_of_two_customers_is_listed_and_one_customer_at_two_providers_is_not(store: Store, home: Path) -> None:
    check_several_customers(several_customers(store, home))


def test_an_excluded_customer_shares_a_domain_no_more(store: Store, home: Path) -> None:
    service = several_customers(store, home)
    mapping.exclude_row(service, ANALYST, id_of(store, "p1"), seen=0, reason="test tenant")
    assert [one.domain for one in look(service).customers.groups] == ["guid.com"]


def against_policy(store: Store, home: Path) -> Service:
    """Two mappings share a1 since before the policy; a third row wants it too; two rows compete for a2."""
    names = ("one.com", "one.com", "late.com", "two.com", "two.com")
    listed = [customer(f"p{n}", name) for n, name in enumerate(names)]
    things = (account("a1", website="one.com"), account("a2", website="two.com"))
    service = world(store, home, listed[:3], *things)
    settings.set_setting(service, ADMIN, "cardinality", "unique")
    portal = FakePortal(pages_of(listed[:2], [customer("p2", "one.com"), *listed[3:]]))
    service = make_service(store, home, portal=portal, crm=FakeCrm(), clock=service.clock)
    sync(service)
    return service


def check_against_policy(service: Service) -> None:
    found = look(service).accounts
    shown = [(one.name, one.rows, [(row.specific_id, row.status.value) for row in one.listed]) for one in found.groups]
    assert shown == [
        ("Account a1", 3, [("p0", "mapped"), ("p1", "mapped"), ("p2", "conflict")]),
        ("Account a2", 2, [("p3", "conflict"), ("p4", "conflict")]),
    ]


def test_what_shares_an_account_against_the_policy_stands_by_account(store: Store, home: Path) -> None:
    service = against_policy(store, home)
    check_against_policy(service)
    settings.set_setting(service, ADMIN, "cardinality", "many")
    assert look(service).accounts.total == 0


def test_an_exception_of_one_provider_is_enough_for_a_breach(store: Store, home: Path) -> None:
    service = against_policy(store, home)
    settings.set_setting(service, ADMIN, "cardinality", "many")
    provider = providers.list_providers(service, VIEWER)[0].id
    set_provider_cardinality(service, provider, Cardinality.UNIQUE_IN_PROVIDER)
    check_against_policy(service)


def suspects(store: Store, home: Path) -> Service:
    """agency.com on six accounts (threshold 6), web.com on three, two.com on two, gmail.com on five."""
    things: list[object] = [account(f"a{n}") for n in range(6)]
    for domain, accounts in (("agency.com", 6), ("web.com", 3), ("two.com", 2), ("gmail.com", 5)):
        things += [contact(f"{domain}-{n}", f"a{n}", domain) for n in range(accounts)]
    listed = [customer("p1", "web.com", subscriptions=(subscription(1, 9),)), customer("p2", "own.com")]
    service = world(store, home, listed, *things)
    settings.set_setting(service, ADMIN, "shared_threshold", "6")
    return service


def check_suspects(service: Service) -> None:
    found = look(service).suspects.groups
    assert [(one.domain, one.accounts, one.rows, one.seats, one.is_shared) for one in found] == [
        ("web.com", 3, 1, 9, False),
        ("agency.com", 6, 0, 0, True),
    ]
    assert [len(one.uses) for one in found] == [3, 6]


def test_domains_on_many_accounts_are_suspected_before_they_are_shared(store: Store, home: Path) -> None:
    service = suspects(store, home)
    check_suspects(service)
    add_domain(service, DomainList.SHARED, "agency.com")
    assert [one.domain for one in look(service).suspects.groups] == ["web.com"]
    settings.set_setting(service, ADMIN, "rule_contact_domain", "false")
    assert look(service).suspects.total == 0


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("made", "check"),
    [
        (divided, check_divided),
        (several_customers, check_several_customers),
        (against_policy, check_against_policy),
        (suspects, check_suspects),
    ],
)
def test_on_postgresql_too(fresh_postgres: Store, home: Path, made: object, check: object) -> None:
    check(made(fresh_postgres, home))  # type: ignore[operator]
