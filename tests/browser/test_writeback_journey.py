"""An admin names a table of Dataverse; an analyst decides in the grid and sees in the record that the CRM has it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from app_process import wait_until_synced
from driving import SETTLED, Grid, go
from playwright.sync_api import Page, expect

from w365.service import Service
from w365.service.access import local_user
from w365.service.writeback.place import name_place


@pytest.fixture
def unnamed(service: Service) -> Iterator[None]:
    """Leave the app without a table, as it was found."""
    wait_until_synced(service)
    yield
    name_place(service, local_user(), None, write=False)
    wait_until_synced(service)


def choose(page: Page, field: str, option: str) -> None:
    box = page.get_by_role("combobox", name=re.compile(field))
    expect(box).to_be_visible()  # the run that draws it has begun
    expect(page.locator(SETTLED)).to_be_visible()  # or what is opened is drawn anew and closed
    box.click()
    page.get_by_role("option", name=option, exact=True).click()


@pytest.mark.usefixtures("unnamed")
def test_a_decision_in_the_grid_is_written_to_the_named_table(page: Page, app_url: str) -> None:
    go(page, app_url, "configuration", "Configuration")
    page.get_by_role("button", name="Choose the table").click()
    choose(page, "^Table$|Table$", "new_provideraccount")
    choose(page, "Provider specific account id", "new_specificaccountid")
    choose(page, "Provider \\(optional\\)", "new_provider")
    page.locator("label").filter(has_text="Write every mapping there").click()
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text("Write-back is on.")).to_be_visible()
    expect(page.get_by_text(re.compile(r"[1-9]\d* written · 0 waiting · 0 failed"))).to_be_visible(timeout=30_000)

    grid = Grid(page, app_url, "status=all&text=osprey 06")
    grid.choose("Osprey 06", "kestrel 12")
    expect(grid.cell("account", "Osprey 06")).to_contain_text("Saved")
    grid.cell("name", "Osprey 06").dblclick()
    record = page.get_by_role("dialog")
    expect(record.get_by_text(re.compile(r"Written to the CRM \d\d:\d\d"))).to_be_visible(timeout=30_000)

    go(page, app_url, "configuration", "Configuration")
    page.get_by_role("button", name="Compare now").click()
    none = "0 another account there · 0 mapped here only · 0 mapped there only · 0 unknown here"
    expect(page.get_by_text(none)).to_be_visible(timeout=30_000)

    go(page, app_url, "import?what=mappings", "Import")
    page.get_by_role("button", name="Read them from Dataverse: new_provideraccount").click()
    expect(page.get_by_text(re.compile(r"lines: 0 to map · [1-9]\d* mapped so already"))).to_be_visible(timeout=30_000)
