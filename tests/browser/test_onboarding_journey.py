"""From a CRM account to its mapped customer, with the first password seen once."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from app_process import running_app, wait_until_synced
from axe_checks import violations
from driving import SETTLED
from playwright.sync_api import Locator, Page, expect

from tests.servers import running, small_world
from w365.config import DEMO_SERVED, load_settings
from w365.demo.faults import Fault
from w365.demo.servers import Servers
from w365.demo.world import Account
from w365.model import Origin
from w365.service.access import local_user
from w365.service.bootstrap import open_service
from w365.service.reading.records import list_rows
from w365.store.reading.worklist import Filter

ACCOUNT = Account(
    "22222222-2222-4222-8222-000000000099",
    "Fabrikam Leeds",
    "A-99",
    website="https://www.fabrikam-leeds.co.uk",
    city="Leeds",
    country="United Kingdom",
)
CONTACT = {"First name": "Gil", "Last name": "Soto", "E-mail": "gil@fabrikam-leeds.co.uk"}


@pytest.fixture(scope="module")
def own_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Partner Center of its own: a customer created there stays, and other tests count theirs."""
    world = small_world()
    world = dataclasses.replace(world, accounts=(*world.accounts, ACCOUNT), fingerprint="")
    with running(tmp_path_factory.mktemp("onboarding-demo"), world) as servers:
        yield servers


@pytest.fixture(scope="module")
def own_app(own_servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    home = tmp_path_factory.mktemp("onboarding-app")
    settings = {DEMO_SERVED: "1", **own_servers.environment()}
    service = open_service(load_settings({"W365_HOME": str(home), **settings}, home / "none.toml"))
    with running_app(home, settings) as url:
        wait_until_synced(service)
        yield url, home
    service.store.close()


def settle(page: Page) -> None:
    page.wait_for_selector(SETTLED)


def field(page: Page, label: str) -> Locator:
    return page.get_by_role("textbox", name=re.compile(rf"^{label}( \*)?$"))


def look(page: Page, name: str) -> None:
    """Keep a picture where somebody asked for one."""
    if folder := os.environ.get("LOOK_AT"):
        settle(page)
        page.wait_for_timeout(500)
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


def open_form(page: Page, url: str) -> None:
    page.goto(f"{url}/subscriptions")
    page.get_by_role("link", name="Onboard a customer…").click()
    page.get_by_label("Which CRM account is it?").press_sequentially("fabrikam", delay=40)
    page.get_by_role("button", name="Choose").click()
    expect(page.get_by_role("heading", name="Fabrikam Leeds")).to_be_visible()


def test_a_customer_is_onboarded_and_its_password_seen_once(
    page: Page, own_app: tuple[str, Path], own_servers: Servers
) -> None:
    url, home = own_app
    open_form(page, url)
    expect(page.get_by_text("fabrikamleeds.onmicrosoft.com")).to_be_visible()
    expect(field(page, "Company name")).to_have_value("Fabrikam Leeds")
    expect(field(page, "City")).to_have_value("Leeds")
    expect(field(page, "Country")).to_have_value("GB")
    domain = field(page, "Domain")
    domain.fill("adatum")
    domain.press("Enter")
    expect(page.get_by_text("adatum.onmicrosoft.com is taken. Choose another one.")).to_be_visible()
    domain.fill("fabrikamleeds")
    domain.press("Enter")
    expect(page.get_by_text("free", exact=True)).to_be_visible()
    for label, text in {**CONTACT, "Street and number": "1 Mill Lane", "Postal code": "12"}.items():
        field(page, label).fill(text)
    look(page, "form")
    page.get_by_role("button", name="Create at Partner Center").click()
    expect(page.get_by_text("The postal code is not valid in GB")).to_be_visible()
    look(page, "refused")
    field(page, "Postal code").fill("LS1 4AP")
    # A second click while the first one waits makes Streamlit leave the script that holds the answer.
    own_servers.faults.append(Fault("partner_center", "/v1/customers", "POST", delay=2.0))
    create = page.get_by_role("button", name="Create at Partner Center")
    create.click()
    page.wait_for_timeout(700)
    create.click()
    expect(page.get_by_text("was created and is mapped to its account")).to_be_visible()
    shown = page.locator(".st-key-first-password code")
    expect(shown).to_have_count(2)  # they are loaded late
    user, password = (one.strip() for one in shown.all_inner_texts())
    assert user == "admin@fabrikamleeds.onmicrosoft.com"
    expect(page.get_by_text("waits to be noted")).to_be_hidden()
    look(page, "password")

    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_role("heading", name="Overview", exact=True)).to_be_visible()
    reminder = page.get_by_text("waits to be noted")
    expect(reminder).to_be_visible()
    assert password not in page.content()
    look(page, "reminder")
    page.get_by_role("link", name="Show it").click()
    expect(page.locator(".st-key-first-password")).to_contain_text(password)
    page.get_by_role("button", name="I have noted it").click()
    expect(page.get_by_text("I have noted it")).to_be_hidden()
    settle(page)
    assert password not in page.content()

    page.get_by_role("link", name="Its provider account").click()
    frame = page.frame_locator("iframe[title*=agGrid]")
    expect(frame.locator(".ag-cell[col-id=name]").first).to_have_text(re.compile("Fabrikam Leeds"), timeout=30_000)
    expect(page.get_by_text(re.compile("Created at Partner Center for this account by")).first).to_be_attached()
    look(page, "grid")
    assert mapped(home) == [(Origin.PROVISIONED, "Fabrikam Leeds")]
    assert [one for one in home.rglob("*") if one.is_file() and password.encode() in one.read_bytes()] == []


def mapped(home: Path) -> list[tuple[str, str]]:
    service = open_service(load_settings({"W365_HOME": str(home), DEMO_SERVED: "1"}, home / "none.toml"))
    rows = list_rows(service, local_user(), Filter(text="fabrikamleeds"))
    service.store.close()
    return [(row.origin, row.account_name) for row in rows]


@pytest.mark.parametrize(("scheme", "size"), [("light", (1024, 768)), ("dark", (1440, 900))])
def test_the_link_for_an_existing_tenant_is_given_and_what_is_awaited_listed(
    new_page: Callable[..., Page], own_app: tuple[str, Path], scheme: str, size: tuple[int, int]
) -> None:
    page = new_page(*size, scheme)
    page.goto(f"{own_app[0]}/onboarding?account={ACCOUNT.id}")
    page.get_by_text("It has a tenant", exact=True).click()
    tenant = page.get_by_role("textbox", name="Domain or id of its tenant")
    expect(tenant).to_have_value("fabrikam-leeds.co.uk")
    page.get_by_role("button", name="Get the link of Partner Center").click()
    expect(page.get_by_text("invType=ResellerRelationship")).to_be_visible()
    expect(page.get_by_text("Awaited: tenants that were asked")).to_be_visible()
    look(page, f"awaited-{scheme}")
    settle(page)
    page.mouse.move(0, 0)  # Streamlit's colour under the mouse is its own
    page.wait_for_timeout(500)
    assert not violations(page)
