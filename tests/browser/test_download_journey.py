"""What the grid shows is what its download holds, and the link works once."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

from app_process import wait_until_synced
from playwright.sync_api import Page, expect

from w365.model import Status
from w365.service import Service
from w365.service.access import local_user
from w365.service.reading.records import list_rows
from w365.store.reading.worklist import Filter


def test_the_download_of_a_filter_holds_what_the_grid_shows(
    new_page: Callable[..., Page], app_url: str, service: Service, tmp_path: Path
) -> None:
    wait_until_synced(service)
    stored = list_rows(service, local_user(), Filter(statuses=(Status.UNMAPPED,), text="osprey"))
    page = new_page()
    page.goto(f"{app_url}/provider_accounts?status=unmapped&text=osprey")
    names = page.frame_locator("iframe").first.locator(".ag-row [col-id=name]")
    expect(names).to_have_count(len(stored))
    shown = {name.strip() for name in names.all_inner_texts()}
    page.get_by_role("button", name="download").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text(f"What the list shows now: {len(stored)} rows")).to_be_visible()
    link = dialog.get_by_role("link", name="Download CSV")
    address = str(link.get_attribute("href"))
    with page.expect_download() as got:
        link.click()
    assert got.value.suggested_filename.startswith("w365-mappings-")
    got.value.save_as(tmp_path / "mappings.csv")
    expect(link).not_to_have_attribute("href", address)  # the next link is there
    with (tmp_path / "mappings.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["provider_name"] for row in rows} == shown
    assert [row["provider_specific_account_id"] for row in rows] == [one.specific_id for one in stored]
    again = page.context.request.get(f"{app_url}{address}")
    assert (again.status, "used already" in again.text()) == (401, True)
