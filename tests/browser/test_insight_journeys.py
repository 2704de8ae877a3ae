"""A number of the data quality leads to its rows, a sample is judged, and a daily sync says its next time."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
from app_process import wait_until_synced
from driving import SETTLED, go, metric, unfold
from playwright.sync_api import Page, expect

from w365.matching.messages import REASON_WORDS
from w365.service import Service
from w365.service.access import local_user
from w365.service.auditing.estimates import wilson_interval
from w365.service.insight.quality import read_quality
from w365.service.syncing.schedules import Daily, list_schedules, save_schedules
from w365.store.insight.quality import Flaw


def test_a_number_of_the_data_quality_leads_to_so_many_rows(page: Page, app_url: str, service: Service) -> None:
    wait_until_synced(service)
    found = read_quality(service, local_user())
    amounts = {REASON_WORDS[reason]: amount for reason, amount in found.customers.items() if amount}
    assert amounts
    for words, amount in amounts.items():
        go(page, app_url, "quality", "Data quality")
        line = page.get_by_test_id("stMarkdown").get_by_text(re.compile(rf"^{amount} {words}$"))
        expect(line).to_be_visible()
        page.get_by_role("link", name="Show these").nth(list(amounts).index(words)).click()
        frame = page.frame_locator("iframe[title*=agGrid]")
        expect(frame.locator(".ag-row [col-id=name]")).to_have_count(amount)
    go(page, app_url, "quality", "Data quality")
    duplicates = found.flaws[Flaw.DUPLICATE]
    page.get_by_text(f"Domains of several accounts {duplicates}").click()
    rows = page.get_by_test_id("stDataFrame").locator("table[role=grid]")
    expect(rows).to_have_attribute("aria-rowcount", str(duplicates + 1))  # and its header


def test_a_sample_is_judged_by_keys_and_says_how_precise_all_are(page: Page, app_url: str, service: Service) -> None:
    wait_until_synced(service)
    go(page, app_url, "audit", "Sample audit")
    if page.get_by_role("button", name="Draw", exact=True).is_hidden():
        unfold(page, "Draw a sample")
    size = page.get_by_role("spinbutton", name="How many")
    size.fill("4")
    size.press("Enter")
    expect(page.get_by_text("Is this the same company? (1 of 4)")).to_be_visible()
    assert metric(page, "Precision") == "–"
    for place, key in enumerate("1121", start=1):
        expect(page.get_by_text(f"Is this the same company? ({place} of 4)")).to_be_visible()
        page.wait_for_selector(SETTLED)
        page.keyboard.press(key)
    expect(page.get_by_text("Every row of this sample is judged.")).to_be_visible()
    interval = wilson_interval(3, 4)
    assert interval is not None
    said = f"95 % interval {100 * interval.low:.1f} % to {100 * interval.high:.1f} %"
    expect(page.get_by_text(said)).to_be_visible()
    assert (metric(page, "Precision"), metric(page, "Right / wrong / unsure")) == ("75.0 %", "3 / 1 / 0")
    expect(page.get_by_text("Judged wrong: 1 mapping")).to_be_visible()


@pytest.fixture
def none_daily(service: Service) -> Iterator[None]:
    """Leave the app without daily syncs, as it was found."""
    wait_until_synced(service)
    before = {one.target: one.daily for one in list_schedules(service, local_user())}
    yield
    save_schedules(service, local_user(), before, "")


@pytest.mark.usefixtures("none_daily")
def test_a_daily_sync_is_switched_on_and_its_next_time_stands_where_people_look(
    page: Page, app_url: str, service: Service
) -> None:
    later = dt.datetime.now(dt.UTC) + dt.timedelta(hours=5)
    go(page, app_url, "configuration", "Configuration")
    page.locator("label").filter(has_text="Sync Partner Center daily").click()
    expect(page.get_by_role("switch", name="Sync Partner Center daily")).to_be_checked()
    for part, number in (("hour", later.hour), ("minute", 30)):
        page.get_by_role("spinbutton", name=f"{part}, Time for Partner Center").click()
        page.keyboard.type(f"{number:02}")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Save daily syncs").click()
    expect(page.get_by_text("1 change saved.")).to_be_visible()
    set_now = next(one for one in list_schedules(service, local_user()) if one.due_at)
    assert (set_now.name, set_now.daily) == ("Partner Center", Daily(is_on=True, at=dt.time(later.hour, 30)))
    assert set_now.due_at is not None
    shown = f"{set_now.due_at.astimezone(ZoneInfo('Europe/Berlin')):%H:%M}"  # the zone of the browser
    expect(page.get_by_text(re.compile(f"^Next .*{shown}"))).to_be_visible()
    go(page, app_url, "providers", "Providers")
    expect(page.get_by_text(re.compile(f"Next sync .*{shown} .*daily at {later.hour:02}:30"))).to_be_visible()
    go(page, app_url, "", "Overview")
    expect(page.get_by_text(re.compile(f"^Next sync .*{shown}"))).to_be_visible()
