"""What people do, in a real browser against the real app."""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from app_process import running_app, wait_until_synced
from driving import PAGES, go, metric
from playwright.sync_api import Page, expect
from small_world import CONFLICTS, MAPPABLE

from w365.demo.faults import Fault
from w365.demo.servers import Servers
from w365.model import DecisionKind, RunKind
from w365.service import Service
from w365.service.access import local_user
from w365.service.configuring.settings import get_settings, set_setting
from w365.service.insight.activity import count_decisions
from w365.service.insight.statistics import read_statistics
from w365.service.syncing.runs import list_runs
from w365.source_records import NewAccount
from w365.store.insight.activity import ActivityFilter


@contextmanager
def slow(servers: Servers, seconds: float) -> Iterator[None]:
    """Make Partner Center take its time with every answer."""
    fault = Fault(service="partner_center", delay=seconds, times=0)
    servers.faults.append(fault)
    try:
        yield
    finally:
        servers.faults.remove(fault)


@pytest.fixture
def calm(service: Service) -> Iterator[None]:
    """Leave the app as it was found: nothing under way, Auto-Match on."""
    yield
    wait_until_synced(service)
    set_setting(service, local_user(), "auto_match", "true")


def test_the_first_page_says_demo_and_the_numbers_of_the_database(page: Page, app_url: str, service: Service) -> None:
    go(page, app_url, "", "Overview")
    expect(page.get_by_text("Demo: fictional data")).to_be_visible()
    totals = read_statistics(service, local_user()).totals
    assert totals.conflict >= CONFLICTS
    assert totals.mapped >= MAPPABLE
    assert metric(page, "Need a decision") == str(totals.backlog)
    assert metric(page, "Conflicts") == str(totals.conflict)
    expect(page.get_by_text(f"{totals.backlog} provider accounts need a decision")).to_be_visible()
    expect(page.get_by_text(re.compile(r"Partner Center synced \d\d:\d\d (CET|CEST)"))).to_be_visible()


@pytest.mark.usefixtures("calm")
def test_a_sync_shows_its_progress_and_its_result(page: Page, app_url: str, servers: Servers) -> None:
    go(page, app_url, "providers", "Providers")
    with slow(servers, 0.3):
        page.get_by_role("button", name="Sync provider accounts").click()
        expect(page.get_by_role("progressbar").first).to_be_visible()
        expect(page.get_by_text("started by").first).to_be_visible()
        expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    expect(page.get_by_text(re.compile(r"0 new, 0 changed, 40 unchanged, 0 gone, 0 rejected"))).to_be_visible()


@pytest.mark.usefixtures("calm")
def test_a_second_person_sees_who_started_the_sync_and_cannot_start_another(
    new_page: Callable[..., Page], app_url: str, servers: Servers, service: Service
) -> None:
    first, second = new_page(), new_page()
    go(first, app_url, "providers", "Providers")
    go(second, app_url, "providers", "Providers")
    before = count_syncs(service)
    with slow(servers, 0.3):
        first.get_by_role("button", name="Sync provider accounts").click()
        expect(first.get_by_text("started by").first).to_be_visible()
        expect(second.get_by_text("started by").first).to_be_visible()
        expect(second.get_by_role("button", name="Sync provider accounts")).to_be_disabled()
        assert count_syncs(service) == before + 1


def count_syncs(service: Service) -> int:
    """Count the syncs there were; the match that follows one is none."""
    return sum(run.kind is RunKind.SYNC for run in list_runs(service, local_user(), limit=500))


@pytest.mark.usefixtures("calm")
def test_a_sync_goes_on_when_its_page_is_left_and_is_there_on_return(
    page: Page, app_url: str, servers: Servers, service: Service
) -> None:
    go(page, app_url, "providers", "Providers")
    with slow(servers, 0.4):
        page.get_by_role("button", name="Sync provider accounts").click()
        expect(page.get_by_text("started by").first).to_be_visible()
        page.goto("about:blank")
        time.sleep(0.5)
        go(page, app_url, "providers", "Providers")
        expect(page.get_by_text("started by").first).to_be_visible()
    wait_until_synced(service)
    expect(page.get_by_text("40 unchanged")).to_be_visible()


@pytest.mark.usefixtures("calm")
def test_with_auto_match_off_a_sync_maps_nothing_and_says_what_waits(
    page: Page, app_url: str, service: Service
) -> None:
    wanted = ActivityFilter(kinds=(DecisionKind.MAP,))
    go(page, app_url, "configuration", "Configuration")
    page.locator("label").filter(has_text="Auto-Match").click()
    expect(page.get_by_text("nothing is mapped by itself").first).to_be_visible()
    page.get_by_role("button", name="Switch off").click()
    expect(page.get_by_text("Auto-Match is off. Mappings stay.")).to_be_visible()
    before = count_decisions(service, local_user(), wanted)

    with service.open_crm(lambda: None) as crm:
        crm.create_account(NewAccount("Osprey 05", website="https://osprey05.co.uk"))
    go(page, app_url, "providers", "Providers")
    page.get_by_role("button", name="Sync CRM").click()
    expect(page.get_by_text("accounts 1 new")).to_be_visible()
    wait_until_synced(service)
    expect(page.get_by_text(re.compile("the next match would map 1 provider account")).first).to_be_visible()
    assert count_decisions(service, local_user(), wanted) == before

    go(page, app_url, "configuration", "Configuration")
    page.locator("label").filter(has_text="Auto-Match").click()
    expect(page.get_by_text("maps 1 provider account")).to_be_visible()
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_text("Auto-Match is on. The next match maps 1 provider account.")).to_be_visible()
    page.get_by_role("button", name="Match now").click()
    expect(page.get_by_text("none waits for it now")).to_be_visible()
    assert count_decisions(service, local_user(), wanted) == before + 1


@pytest.mark.usefixtures("calm")
def test_a_rule_changes_only_after_its_effect_was_shown_and_saved(page: Page, app_url: str, service: Service) -> None:
    go(page, app_url, "configuration", "Configuration")
    page.get_by_text("4. Website of the account").click()
    page.get_by_role("button", name="Check the effect").first.click()
    expect(page.get_by_role("heading", name="Save this change?")).to_be_visible()
    expect(page.get_by_text("Rule 4. website of the account: on → off")).to_be_visible()
    expect(page.get_by_text("Mappings made so far stay.").first).to_be_visible()
    assert get_settings(service, local_user())["rule_account_website"] == "true"
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.").first).to_be_visible()
    assert get_settings(service, local_user())["rule_account_website"] == "false"
    set_setting(service, local_user(), "rule_account_website", "true")


def test_the_downloaded_statistics_are_those_on_the_screen(page: Page, app_url: str, tmp_path: Path) -> None:
    go(page, app_url, "statistics", "Statistics")
    shown = {"backlog": metric(page, "Backlog"), "seats": metric(page, "Blocked seats")}
    page.get_by_role("button", name="Download…").last.click()
    with page.expect_download() as started:
        page.get_by_role("dialog").get_by_role("link", name="Download CSV").click()
    path = tmp_path / started.value.suggested_filename
    started.value.save_as(path)
    assert path.suffix == ".csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["section"] == "Total"]
    values = {row["measure"]: float(row["value"]) for row in rows}
    assert values["backlog"] == float(shown["backlog"].replace(",", ""))
    assert values["blocked seats"] == float(shown["seats"].replace(",", ""))


def test_activity_lists_decisions_with_what_changed_and_why(page: Page, app_url: str, service: Service) -> None:
    go(page, app_url, "activity", "Activity")
    expect(page.get_by_text(re.compile(r"\d+ decisions"))).to_be_visible()
    table = page.get_by_test_id("stDataFrame").first
    expect(table).to_contain_text("nothing → Kestrel")
    expect(table).to_contain_text("is the e-mail domain of 1 contact")
    page.get_by_role("searchbox").fill("kestrel07")
    wanted = count_decisions(service, local_user(), ActivityFilter(text="kestrel07"))  # other journeys decide it too
    expect(page.get_by_text(re.compile(rf"^{wanted} decisions?$"))).to_be_visible()


def test_hostile_names_are_shown_as_text(page: Page, app_url: str, service: Service) -> None:
    from w365.service.syncing.providers import ManualAccount, add_manual_accounts, list_providers

    manual = next(one for one in list_providers(service, local_user()) if one.kind == "manual")
    row = ManualAccount("hostile-1", "<img src=x onerror=alert(1)> :red[hot] $x$", ("heron00.de",))
    add_manual_accounts(service, local_user(), manual.id, [row])
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    for place, title in PAGES.items():
        go(page, app_url, place, title)
    assert not dialogs


@pytest.fixture(scope="module")
def broken_url(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An app whose provider is a port nobody listens at, and whose CRM secret the token endpoint refuses."""
    settings = servers.environment() | {
        "W365_PARTNER_CENTER_URL": "https://127.0.0.1:9",
        "W365_DATAVERSE_CLIENT_SECRET": "not-the-secret",
    }
    with running_app(tmp_path_factory.mktemp("broken"), settings) as url:
        yield url


def test_a_refused_secret_is_a_sentence_on_every_page(page: Page, broken_url: str) -> None:
    go(page, broken_url, "providers", "Providers")
    expect(page.get_by_text("Demo: fictional data")).to_have_count(0)
    page.get_by_role("button", name="Sync CRM").click()
    expect(page.get_by_text(re.compile("secret", re.IGNORECASE)).first).to_be_visible()
    go(page, broken_url, "statistics", "Statistics")
    expect(page.get_by_text("CRM could not be synced.")).to_be_visible()
    for hidden in ("not-the-secret", "Traceback"):
        expect(page.get_by_text(hidden)).to_have_count(0)


def test_a_dead_host_is_a_sentence(page: Page, broken_url: str) -> None:
    go(page, broken_url, "providers", "Providers")
    page.get_by_role("button", name="Verify connection").first.click()
    alert = page.get_by_test_id("stAlert").filter(has_text=re.compile("reach|answer", re.IGNORECASE))
    expect(alert.first).to_be_visible(timeout=60_000)


def test_malformed_settings_are_one_sentence_and_no_traceback(
    page: Page, servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings = servers.environment() | {"W365_PARTNER_CENTER_URL": "http://plain.test"}
    with running_app(tmp_path_factory.mktemp("malformed"), settings) as url:
        page.goto(url)
        expect(page.get_by_text("W365_PARTNER_CENTER_URL must be a plain https")).to_be_visible()
        expect(page.get_by_text("Traceback")).to_have_count(0)


def test_the_sync_button_is_reached_by_keyboard(page: Page, app_url: str) -> None:
    go(page, app_url, "providers", "Providers")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText").strip() == "Sync provider accounts":
            return
    raise AssertionError("forty tabs did not reach the button")


def test_answers_carry_the_security_headers(page: Page, app_url: str) -> None:
    answer = page.goto(app_url)
    assert answer is not None
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert "unsafe-eval" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_nothing_is_asked_of_other_hosts(page: Page, app_url: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for place, title in PAGES.items():
        go(page, app_url, place, title)
    assert not [url for url in asked if not url.startswith((app_url, app_url.replace("http", "ws"), "data:", "blob:"))]
