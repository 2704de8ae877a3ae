from __future__ import annotations

from collections import Counter, defaultdict
from urllib.parse import urlsplit

import idna
import pytest

from tests.servers import fiction
from w365.demo.world import World
from w365.demo.world.fiction import fictional_world, manual_rows

FREE_MAIL = {
    "gmail.com", "outlook.com", "hotmail.com", "gmx.de", "web.de", "yahoo.com", "orange.fr", "icloud.com"
}  # fmt: skip


@pytest.fixture(scope="module")
def world() -> World:
    return fiction()


def domain_of(email: str) -> str:
    text = email.strip().removeprefix("mailto:").rstrip(">").rpartition("<")[2].lower().rstrip(".")
    return label(text.rpartition("@")[2]) if text.count("@") == 1 else ""


def label(name: str) -> str:
    name = name.lower()
    return name if name.isascii() else idna.encode(name, uts46=True).decode()


def website_domain(website: str) -> str:
    host = urlsplit(website if "//" in website else f"//{website}").hostname or ""
    return label(host.removeprefix("www."))


def outcomes(world: World) -> Counter[str]:
    """Count customers by how many accounts an exact domain leads to, the plain way."""
    owners = defaultdict(set)
    active = {account.id for account in world.accounts if account.is_active}
    for contact in world.contacts:
        owners[domain_of(contact.email)].add(contact.parent_id)
    for account in world.accounts:
        owners[domain_of(account.email)].add(account.id)
        owners[website_domain(account.website)].add(account.id)
    counts: Counter[str] = Counter()
    for customer in world.customers:
        names = {domain.name for domain in customer.domains if domain.is_verified} - FREE_MAIL
        holders = {owner for name in names for owner in owners[name]} & active
        counts["none" if not holders else "one" if len(holders) == 1 else "several"] += 1
    return counts


def test_it_is_the_world_that_earlier_demos_kept_changes_and_links_of(world: World) -> None:
    assert world.fingerprint == "c0fabc7c5fd1"
    assert fictional_world() == world


def test_it_has_the_size_it_promises(world: World) -> None:
    assert 1_150 <= len(world.customers) <= 1_250
    assert 2_900 <= len(world.accounts) <= 3_100
    assert 7_000 <= len(world.contacts) <= 8_500
    assert 1_800 <= sum(len(customer.subscriptions) for customer in world.customers) <= 2_200


def test_ids_are_unique(world: World) -> None:
    for rows in (world.customers, world.accounts, world.contacts):
        assert len({row.id for row in rows}) == len(rows)


def test_both_resellers_and_pax8_share_customers_with_the_list(world: World) -> None:
    ids = {customer.id for customer in world.customers}
    first, second = (reseller.customers for reseller in world.resellers)
    assert (len(first & ids), len(second & ids), len(first & second)) == (40, 24, 4)
    assert (len(world.companies), sum(len(company.subscriptions) for company in world.companies)) == (140, 183)
    assert len({company.name for company in world.companies} & {customer.name for customer in world.customers}) >= 40


def test_every_page_has_something_to_show(world: World) -> None:
    counts = outcomes(world)
    shares = {name: count / len(world.customers) for name, count in counts.items()}
    assert 0.68 <= shares["one"] <= 0.76
    assert 0.03 <= shares["several"] <= 0.055


def test_every_awkward_case_is_there(world: World) -> None:
    names = [customer.name for customer in world.customers]
    assert max(map(len, names)) == 255
    assert any("\u0590" < letter < "\u06ff" for name in names for letter in name)
    assert any(customer.domain.startswith("NETORGFT") for customer in world.customers)
    assert any(customer.domain.startswith("xn--") for customer in world.customers)
    assert any(customer.departed for customer in world.customers)
    assert {customer.relationship for customer in world.customers} == {"reseller", "advisor", "none"}
    assert any(not domain.is_verified for customer in world.customers for domain in customer.domains)
    assert any(not account.is_active for account in world.accounts)
    holding = next(account for account in world.accounts if account.name == "Alderquill Holding AG")
    assert sum(account.parent_id == holding.id for account in world.accounts) == 5
    adviser = {contact.parent_id for contact in world.contacts if contact.email.endswith("@ledgerquay-moss.co.uk")}
    assert len(adviser) == 31


def test_international_domains_are_written_as_registries_write_them(world: World) -> None:
    for customer in world.customers:
        for domain in customer.domains:
            if domain.name.startswith("xn--"):
                assert idna.encode(idna.decode(domain.name)).decode() == domain.name


def test_the_manual_provider_shares_ten_customers_with_partner_center(world: World) -> None:
    rows = manual_rows()
    listed = {customer.domain for customer in world.customers}
    assert len({row.specific_id for row in rows}) == 25
    assert sum(bool(listed & set(row.domains)) for row in rows) == 10
