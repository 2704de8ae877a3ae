"""How the browser tests go about the pages: where they are, when they stand still, and the grid as it is used."""

from __future__ import annotations

import re

from playwright.sync_api import FrameLocator, Locator, Page, expect

from w365.service import Service
from w365.service.access import local_user
from w365.service.reading.records import list_rows
from w365.store.reading.worklist import Filter, Row

PAGES = {
    "": "Overview",
    "review": "Review",
    "account": "CRM account",
    "provider_accounts": "Provider accounts",
    "conflicts": "Conflicts",
    "subscriptions": "Subscriptions",
    "statistics": "Statistics",
    "audit": "Sample audit",
    "quality": "Data quality",
    "activity": "Activity",
    "providers": "Providers",
    "import": "Import",
    "configuration": "Configuration",
    "people": "People",
}
SETTLED = "[data-testid=stApp][data-test-script-state=notRunning]"
_GROWN = """details => {
    const height = box => box.getBoundingClientRect().height
    const parts = [...details.children].reduce((sum, part) => sum + height(part), 0)
    return details.open && !details.getAnimations().length && Math.abs(height(details) - parts) < 4
}"""


def go(page: Page, url: str, place: str, title: str) -> None:
    """Open a page and wait until it stands still."""
    page.goto(f"{url}/{place}")
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    wait_until_still(page)


def wait_until_still(page: Page) -> None:
    """Wait until nothing moves any more.

    The browser loads each kind of widget when the page first shows one, also after the script's end; until then a
    small skeleton holds its place, and what is below moves down when the widget comes, away from under the pointer.
    """
    page.wait_for_selector(SETTLED)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)


def signed_in(page: Page, name: str, role: str) -> None:
    expect(page.get_by_test_id("stSidebar").get_by_text(f"Signed in as {name} · {role}")).to_be_visible()


def metric(page: Page, label: str) -> str:
    box = page.get_by_test_id("stMetric").filter(has_text=label).first
    return box.get_by_test_id("stMetricValue").inner_text().strip()


def unfold(where: Page | Locator, label: str) -> None:
    """Open an expander and wait until it has grown: before, what it holds moves away under the pointer.

    One that appears while the page is still being drawn may be drawn again, and is then closed.
    """
    summary = where.locator("summary", has_text=label)
    summary.wait_for()
    summary.page.wait_for_selector(SETTLED)
    summary.click()
    summary.page.wait_for_function(_GROWN, arg=summary.locator("..").element_handle())


class Grid:
    """The grid of a page that shows the rows found by a search."""

    def __init__(self, page: Page, app_url: str, query: str) -> None:
        self.page = page
        page.goto(f"{app_url}/provider_accounts?{query}")
        self.frame: FrameLocator = page.frame_locator("iframe[title*=agGrid]")
        expect(self.cell("name").first).to_be_visible(timeout=30_000)
        wait_until_still(page)

    def row(self, name: str) -> Locator:
        """The part of the row that scrolls; the name itself is pinned apart."""
        pinned = self.frame.locator(".ag-pinned-left-cols-container .ag-row", has_text=name)
        index = pinned.first.get_attribute("row-index")
        return self.frame.locator(f".ag-center-cols-container .ag-row[row-index='{index}']")

    def cell(self, column: str, row: str = "") -> Locator:
        if column == "name":
            return self.frame.locator(".ag-cell[col-id=name]", has_text=row)
        return self.row(row).locator(f"[col-id={column}]")

    @property
    def lookup(self) -> Locator:
        return self.frame.get_by_role("combobox")

    @property
    def note(self) -> Locator:
        return self.frame.locator(".w365-note")

    @property
    def options(self) -> Locator:
        return self.frame.get_by_role("option")

    def open(self, row: str, key: str = "Enter") -> None:
        self.cell("account", row).click()
        self.page.keyboard.press(key)
        expect(self.lookup).to_be_focused()
        expect(self.note).not_to_have_text("Searching…")

    def choose(self, row: str, text: str) -> None:
        """Type and choose the first account with the keyboard."""
        self.open(row)
        self.page.keyboard.type(text)
        expect(self.note).to_have_text(re.compile("found|first"))
        self.page.keyboard.press("Enter")


def stored(service: Service, name: str) -> Row:
    rows = list_rows(service, local_user(), Filter(text=name))  # a row is found by the name of its account too
    return min(rows, key=lambda row: not row.name.lower().startswith(name.lower()))
