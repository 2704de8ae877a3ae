"""The Review page, by keyboard alone."""

from __future__ import annotations

import re
import time
from collections import Counter

from app_process import wait_until_synced
from driving import SETTLED, go
from playwright.sync_api import Locator, Page, expect

from w365.model import Status
from w365.service import Service
from w365.service.access import local_user
from w365.service.insight.activity import count_decisions
from w365.service.reading.records import list_rows
from w365.store.insight.activity import ActivityFilter
from w365.store.reading.worklist import Filter
from w365.ui.deciding.review.session import TOO_SOON


def statuses(service: Service) -> dict[str, Status]:
    return {row.name: row.status for row in list_rows(service, local_user(), Filter())}


def row_name(page: Page) -> Locator:
    return page.locator(".st-key-review-row h3")


def outcome(page: Page) -> Locator:
    return page.locator(".st-key-review-outcome")


def press(page: Page, *keys: str) -> None:
    """Press keys one after another, no sooner than a person has read, and wait for the next row."""
    page.wait_for_selector(SETTLED)
    page.wait_for_timeout(1_000 * TOO_SOON + 100)
    name = row_name(page).inner_text()
    for place, key in enumerate(keys):
        page.keyboard.press(key)
        if place == 0 and len(keys) > 1:
            expect(page.get_by_label("Reason to")).to_be_focused()
    expect(row_name(page)).not_to_have_text(name)


def hold(page: Page, key: str) -> None:
    """Hold a key down while the row changes; it must decide this one row only."""
    page.wait_for_selector(SETTLED)
    page.wait_for_timeout(1_000 * TOO_SOON + 100)
    name = row_name(page).inner_text()
    page.keyboard.down(key)
    expect(row_name(page)).not_to_have_text(name)
    name = row_name(page).inner_text()
    for _ in range(6):
        page.wait_for_timeout(200)
        page.keyboard.down(key)  # what a keyboard sends again and again
    page.keyboard.up(key)
    expect(row_name(page)).to_have_text(name)


def test_ten_rows_are_decided_by_keyboard_alone_and_all_are_taken_back(
    page: Page, app_url: str, service: Service
) -> None:
    wait_until_synced(service)
    before = statuses(service)
    go(page, app_url, "review?status=conflict", "Review")
    conflicts = sum(status is Status.CONFLICT for status in before.values())  # other journeys make some too
    expect(page.get_by_text(f"1 of {conflicts}")).to_be_visible()
    first = row_name(page).inner_text()
    press(page, "n")
    press(page, "a")
    hold(page, "2")
    press(page, "p", "Enter")
    # One candidate rejected: the row stays, and its other candidate is then the first.
    page.wait_for_selector(SETTLED)
    page.wait_for_timeout(1_000 * TOO_SOON + 100)
    page.keyboard.press("x")
    expect(outcome(page)).to_contain_text("candidate rejected")
    press(page, "a")
    assert Counter(statuses(service).values()) - Counter(before.values()) == {Status.MAPPED: 3, Status.PARKED: 1}
    press(page, "z")
    assert Counter(statuses(service).values()) - Counter(before.values()) == {Status.MAPPED: 2, Status.PARKED: 1}
    press(page, "a")
    assert statuses(service)[first] is Status.CONFLICT
    page.get_by_role("combobox", name="Status").click()
    page.get_by_role("option", name="Unmapped").click()
    expect(page.get_by_text(re.compile(r"^1 of \d+ "))).to_be_visible()
    for place in range(5):
        press(page, "e", *("internal" if place == 0 else ()), "Enter")
    after = statuses(service)
    assert Counter(after.values()) - Counter(before.values()) == {
        Status.MAPPED: 3,
        Status.PARKED: 1,
        Status.EXCLUDED: 5,
    }
    take_everything_back(page, service, 10)
    assert statuses(service) == before


def take_everything_back(page: Page, service: Service, decisions: int) -> None:
    before = count_decisions(service, local_user(), ActivityFilter())
    for place in range(1, decisions + 1):
        page.wait_for_selector(SETTLED)  # a key pressed while a row is being drawn finds no button
        page.keyboard.press("z")
        expect(outcome(page)).to_contain_text("taken back")
        until = time.monotonic() + 10
        while count_decisions(service, local_user(), ActivityFilter()) < before + place:
            assert time.monotonic() < until
            time.sleep(0.02)
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()


def test_a_note_that_was_typed_and_not_saved_is_there_again_when_its_row_is(
    page: Page, app_url: str, service: Service
) -> None:
    wait_until_synced(service)
    go(page, app_url, "review?status=conflict", "Review")
    page.wait_for_selector(SETTLED)
    page.wait_for_timeout(1_000 * TOO_SOON + 100)
    name = row_name(page).inner_text()
    page.get_by_label("Note").fill("Half a thought")
    page.get_by_role("button", name="Not this").first.click()  # the row stays
    expect(outcome(page)).to_contain_text("candidate rejected", ignore_case=True)
    expect(page.get_by_label("Note")).to_have_value("Half a thought")
    page.wait_for_selector(SETTLED)
    page.get_by_role("button", name="Next").click()
    expect(row_name(page)).not_to_have_text(name)
    page.wait_for_selector(SETTLED)
    expect(page.get_by_label("Note")).to_have_value("")
    page.keyboard.press("z")
    expect(row_name(page)).to_have_text(name)
    page.wait_for_selector(SETTLED)
    expect(page.get_by_label("Note")).to_have_value("Half a thought")
