from __future__ import annotations

import ssl
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from tests.servers import fiction, running, small_world
from w365.config import load_settings
from w365.demo.pax8.server import AUDIENCE, Pax8Server
from w365.demo.servers import PAX8_CLIENT_ID, Servers
from w365.demo.tokens import TokenIssuer
from w365.demo.wire import Request
from w365.demo.world import FIRST_DAY, Company, Subscription, World
from w365.matching.domains import website_domain
from w365.portals.pax8 import connect_pax8

SEATS = Subscription("55555555-5555-4555-8555-000000000001", "Seats", 4, "Active", "Monthly")
COMPANIES = tuple(
    Company(
        f"66666666-6666-4666-8666-00000000000{number}",
        name,
        website=name.lower(),
        subscriptions=(replace(SEATS, created=FIRST_DAY - timedelta(days=number)),),
    )
    for number, name in enumerate(("Bravo.com", "Alpha.com", "Charlie.com"))
)
WORLD = World("pax8", (), (), (), companies=COMPANIES)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with running(tmp_path_factory.mktemp("pax8"), WORLD) as servers:
        yield servers


@pytest.fixture
def http(servers: Servers) -> Iterator[httpx.Client]:
    trust = ssl.create_default_context(cafile=str(servers.ca_bundle))
    with httpx.Client(verify=trust, timeout=5, base_url=servers.urls["pax8"]) as http:
        token = http.post("/v1/token", json=credentials(servers)).raise_for_status().json()["access_token"]
        http.headers["authorization"] = f"Bearer {token}"
        yield http


def credentials(servers: Servers, **changes: str) -> dict[str, str]:
    own = {"client_id": PAX8_CLIENT_ID, "client_secret": servers.client_secret}
    return own | {"audience": AUDIENCE, "grant_type": "client_credentials"} | changes


def test_pages_are_counted_from_zero_and_sorted(http: httpx.Client) -> None:
    first, second = (http.get(f"/v1/companies?page={number}&size=2").json() for number in (0, 1))
    assert [each["name"] for each in first["content"]] == ["Alpha.com", "Bravo.com"]
    assert [each["name"] for each in second["content"]] == ["Charlie.com"]
    assert second["page"] == {"size": 2, "totalElements": 3, "totalPages": 2, "number": 1}
    reverse = http.get("/v1/companies?sort=name,desc").json()
    assert [each["name"] for each in reverse["content"]] == ["Charlie.com", "Bravo.com", "Alpha.com"]
    assert reverse["page"]["size"] == 10


def test_subscriptions_come_for_all_or_one_company(http: httpx.Client) -> None:
    listed = http.get("/v1/subscriptions").json()["content"]
    assert [each["companyId"] for each in listed] == [company.id for company in reversed(COMPANIES)]
    of_one = http.get("/v1/subscriptions", params={"companyId": COMPANIES[0].id, "country": "US"}).json()
    assert [each["companyId"] for each in of_one["content"]] == [COMPANIES[0].id]


def test_one_company_is_found_by_its_id(http: httpx.Client) -> None:
    assert http.get(f"/v1/companies/{COMPANIES[1].id}").json()["name"] == "Alpha.com"
    refused = http.get("/v1/companies/nobody")
    assert refused.status_code == 404
    assert refused.json() == {
        "type": "NOT_FOUND",
        "message": "Not Found",
        "instance": "/v1/companies/nobody",
        "status": 404,
        "details": [],
    }


@pytest.mark.parametrize("query", ["size=201", "size=0", "page=-1", "page=x"])
def test_more_than_a_page_holds_is_refused(http: httpx.Client, query: str) -> None:
    answer = http.get(f"/v1/companies?{query}")
    assert (answer.status_code, answer.json()["status"]) == (400, 400)


@pytest.mark.parametrize(
    "changes", [{"client_secret": "x"}, {"client_id": "x"}, {"audience": "x"}, {"grant_type": "x"}]
)
def test_wrong_credentials_are_refused_in_its_own_words(
    servers: Servers, http: httpx.Client, changes: dict[str, str]
) -> None:
    answer = http.post("/v1/token", json=credentials(servers, **changes))
    assert answer.status_code == 401
    assert answer.json() == {"error": "access_denied", "error_description": "Unauthorized"}


def test_expired_and_missing_tokens_are_refused(servers: Servers, http: httpx.Client) -> None:
    servers.expire_tokens()
    assert [http.get("/v1/companies", headers=extra).status_code for extra in ({}, {"authorization": ""})] == [401, 401]


def test_beyond_the_limit_it_says_so_without_a_time() -> None:
    now, tokens = [0.0], TokenIssuer()
    service = Pax8Server(WORLD, tokens, {}, calls_per_minute=2, clock=lambda: now[0])
    request = Request("GET", "/v1/companies", headers={"authorization": f"Bearer {tokens.issue(AUDIENCE, 'c', '')}"})
    assert [service(request).status for _ in range(3)] == [200, 200, 429]
    assert "retry-after" not in dict(service(request).headers)
    now[0] = 61
    assert service(request).status == 200


def test_a_world_without_companies_prints_no_setting_for_pax8(
    servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert sum(name.startswith("W365_PAX8_") for name in servers.environment()) == 4
    with running(tmp_path_factory.mktemp("none"), small_world()) as others:
        assert not [name for name in others.environment() if name.startswith("W365_PAX8_")]


def test_an_older_folder_keeps_its_ports_when_a_service_is_added(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("older")
    with running(home) as servers:
        before = dict(servers.urls)
    memory = home / "ports.json"
    memory.write_text(memory.read_text().replace('"pax8"', '"other"'))
    with running(home) as servers:
        assert {name: servers.urls[name] for name in before if name != "pax8"} == {
            name: url for name, url in before.items() if name != "pax8"
        }


def test_the_connector_reads_the_fictional_companies(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("fiction")
    world = fiction()
    with running(home, world) as servers:
        connection = load_settings(servers.environment() | {"W365_HOME": str(home)}).further["PAX8"]
        with closing(connect_pax8(connection)) as portal:
            pages = list(portal.pages())
    customers = [each for page in pages for each in page.customers]
    listed = [each for each in world.companies if each.status != "Deleted"]
    assert {each.specific_id for each in customers} == {each.id for each in listed}
    assert [each.rejected for each in pages] == [()] * len(pages)
    assert sum(len(each.subscriptions or ()) for each in customers) == sum(len(each.subscriptions) for each in listed)


def test_the_fictional_companies_are_partly_customers_elsewhere() -> None:
    world = fiction()
    domains = {domain.name for customer in world.customers for domain in customer.domains}
    accounts = {website_domain(each.website) for each in world.accounts} - {""}
    websites = [website_domain(each.website) for each in world.companies]
    assert len(websites) == 140
    assert sum(each in domains for each in websites) == 40
    assert sum(each in accounts - domains for each in websites) == 60
    assert sum(not each for each in websites) == 5
    assert Counter(each.status for each in world.companies) == {"Active": 133, "Inactive": 5, "Deleted": 2}
    assert len({each.id for each in world.companies}) == 140
