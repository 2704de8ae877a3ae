"""Many rows at once, as an analyst changes them and takes it back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from app_process import wait_until_synced
from axe_checks import violations
from driving import wait_until_still
from playwright.sync_api import FrameLocator, Locator, Page, expect

from w365.jobs import execute_run
from w365.model import Status
from w365.service import Service
from w365.service.access import local_user
from w365.service.deciding.undo import take_back_now
from w365.service.insight.statistics import count_backlog
from w365.service.reading.records import list_rows, read_record
from w365.service.syncing.runs import request_match
from w365.store.reading.worklist import Filter, Row

NewPage = Callable[..., Page]
NAMES = ("Kestrel 07", "Kestrel 08", "Kestrel 09")


def stored(service: Service, text: str = "") -> list[Row]:
    return list_rows(service, local_user(), Filter(text=text))


def button(where: Page | Locator | FrameLocator, name: str) -> Locator:
    return where.get_by_role("button", name=re.compile(f"^{name}"))


def open_grid(page: Page, app_url: str, query: str) -> FrameLocator:
    page.goto(f"{app_url}/provider_accounts?{query}")
    frame = page.frame_locator("iframe[title*=agGrid]")
    expect(frame.locator(".ag-cell[col-id=name]").first).to_be_visible(timeout=30_000)
    wait_until_still(page)
    return frame


@pytest.fixture
def held(service: Service, app_url: str) -> Iterator[list[Row]]:
    """Three customers whose automatic mapping was taken back and who have candidates; mapped again at the end."""
    wait_until_synced(service)
    taken = [take_back_now(service, local_user(), stored(service, name)[0].version) for name in NAMES]
    execute_run(service, request_match(service, local_user()))
    yield [stored(service, name)[0] for name in NAMES]
    for row in taken:
        latest = read_record(service, local_user(), row.id).history[0].id
        assert take_back_now(service, local_user(), latest).version > latest
        if stored(service, row.name)[0].status is not Status.MAPPED:
            take_back_now(service, local_user(), row.version)


def test_all_of_a_filter_is_accepted_from_a_score_and_taken_back(
    page: Page, app_url: str, service: Service, held: list[Row]
) -> None:
    backlog, before = count_backlog(service, local_user()), [row.status for row in stored(service)]
    frame = open_grid(page, app_url, "status=unmapped")
    amount = sum(status is Status.UNMAPPED for status in before)
    button(frame, f"Select all {amount} of this filter").click()
    expect(frame.locator(".w365-chosen", has_text=f"All {amount} of")).to_be_visible()
    button(frame, "Accept best").click()
    dialog = page.get_by_role("dialog")
    button(dialog, "Cancel").click()
    expect(dialog).to_have_count(0)
    expect(
        frame.locator(".w365-chosen", has_text=f"All {amount} of")
    ).to_be_visible()  # a cancelled dialog keeps the selection
    button(frame, "Accept best").click()
    expect(dialog.get_by_text("0.80")).to_be_visible()
    button(dialog, "Preview").click()
    expect(dialog).to_contain_text(f"{len(held)} provider accounts will be mapped")
    expect(dialog).to_contain_text(f"{amount - len(held)} left as they are")
    assert count_backlog(service, local_user()) == backlog
    assert not violations(page)
    button(dialog, f"Map {len(held)}").click()
    expect(dialog).to_contain_text(f"{len(held)} provider accounts changed")
    assert count_backlog(service, local_user()) == backlog - len(held)
    button(dialog, "Undo").click()
    button(dialog, f"Take back {len(held)}").click()
    expect(dialog).to_contain_text(f"{len(held)} provider accounts taken back")
    button(dialog, "Close").last.click()
    expect(button(frame, f"Select all {amount} of this filter")).to_be_visible()
    assert count_backlog(service, local_user()) == backlog
    assert [row.status for row in stored(service)] == before


def test_a_saved_cell_and_a_chosen_decision_can_be_taken_back(page: Page, app_url: str, service: Service) -> None:
    frame = open_grid(page, app_url, "status=unmapped&text=osprey%2005")
    frame.locator("[col-id=account].ag-cell").first.click()
    page.keyboard.press("Enter")
    page.keyboard.type("kestrel 03")
    expect(frame.locator(".w365-note")).to_have_text(re.compile("found|first"))
    page.keyboard.press("Enter")
    undo = frame.get_by_role("button", name=re.compile("^Undo: Osprey 05 Ltd mapped to Kestrel 03"))
    expect(undo).to_be_visible()
    assert stored(service, "osprey 05")[0].status is Status.MAPPED
    undo.click()
    expect(page.get_by_text("Osprey 05 Ltd: taken back")).to_be_visible()
    expect(frame.locator("[col-id=status].ag-cell").first).to_contain_text("Unmapped")
    assert stored(service, "osprey 05")[0].status is Status.UNMAPPED
    for checkbox in frame.locator(".ag-pinned-left-cols-container input[type=checkbox]").all():
        checkbox.click()
    button(frame, "Exclude").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("A test tenant")
    dialog.get_by_label("Reason").press("Tab")
    button(dialog, "Preview").click()
    button(dialog, "Exclude 1").click()
    expect(dialog).to_contain_text("1 provider account changed")
    page.goto(f"{app_url}/activity")
    button(page, "Undo my last").click()
    expect(page.get_by_role("dialog")).to_contain_text("Exclude: A test tenant")
    button(page.get_by_role("dialog"), "Take back 1").click()
    expect(page.get_by_role("dialog")).to_contain_text("1 provider account taken back")
    assert stored(service, "osprey 05")[0].status is Status.UNMAPPED


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_bar_and_in_activity(scheme: str, new_page: NewPage, app_url: str) -> None:
    page = new_page(scheme=scheme)
    frame = open_grid(page, app_url, "status=all")
    chosen = frame.locator(".w365-chosen", has_text="1 selected:")
    for _ in range(5):  # a grid that is drawn anew at this moment forgets the click
        frame.locator(".ag-pinned-left-cols-container input[type=checkbox]").first.set_checked(True)
        page.wait_for_timeout(500)
        if chosen.is_visible():
            break
    expect(chosen).to_be_visible()
    assert not violations(next(one for one in page.frames if "agGrid" in one.url))
