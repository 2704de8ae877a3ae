"""A file with two bad lines, as an analyst brings it in."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from app_process import wait_until_synced
from driving import SETTLED, go
from playwright.sync_api import Page, expect
from sheets.hostile_files import XLSX

from w365.service import Service
from w365.service.access import local_user
from w365.service.reading.records import list_rows
from w365.service.syncing.providers import add_manual_provider
from w365.store import tables as t
from w365.store.reading.worklist import Filter

LINES = """Kundennummer;Firma;Domain;Land
Q-1;Quay Import One;quay-one.de;DE
Q-2;;quay-two.de;DE
Q-3;Quay Import Three;quay three!;DE
Q-4;Quay Import Four;kestrel09.de;DE
"""


@pytest.fixture
def provider(service: Service) -> Iterator[int]:
    """A manual provider that leaves nothing behind."""
    made = add_manual_provider(service, local_user(), "Quay")
    yield made
    wait_until_synced(service)
    with service.store.write() as connection:
        rows = sa.select(t.ProviderAccount.id).where(t.ProviderAccount.provider_id == made)
        connection.execute(sa.delete(t.Word).where(t.Word.subject == "p", t.Word.id.in_(rows)))
        decided = sa.select(t.Decision.id).where(t.Decision.provider_account_id.in_(rows))
        connection.execute(sa.delete(t.DecisionEvidence).where(t.DecisionEvidence.decision_id.in_(decided)))
        for table in reversed(t.Base.metadata.sorted_tables):
            if "provider_account_id" in table.c:
                connection.execute(sa.delete(table).where(table.c.provider_account_id.in_(rows)))
        connection.execute(sa.delete(t.Snapshot).where(t.Snapshot.provider_id == made))
        connection.execute(sa.delete(t.ProviderAccount).where(t.ProviderAccount.provider_id == made))
        connection.execute(sa.delete(t.Provider).where(t.Provider.id == made))


def test_a_file_with_two_bad_lines_is_looked_at_and_the_rest_imported(
    page: Page, app_url: str, service: Service, provider: int
) -> None:
    wait_until_synced(service)
    go(page, app_url, "import?provider=Quay", "Import")
    file = {"name": "customers.csv", "mimeType": "text/csv", "buffer": LINES.encode("cp1252")}
    page.locator("input[type=file]").set_input_files(files=[file])  # type: ignore[list-item]
    expect(page.get_by_text("4 lines: 2 new · 0 changed · 0 unchanged · 2 with errors")).to_be_visible()
    expect(page.get_by_text("2 lines cannot be used.")).to_be_visible()
    button = page.get_by_role("button", name="Import 2 provider accounts")
    expect(button).to_be_disabled()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download error report").click()
    with download.value.path().open(encoding="utf-8-sig", newline="") as report:
        assert [(one["line"], one["column"], one["value"]) for one in csv.DictReader(report)] == [
            ("3", "Firma", ""),
            ("4", "Domain", "quay three!"),
        ]
    page.get_by_text("Leave out 2 lines with errors").click()
    assert not list_rows(service, local_user(), Filter(providers=(provider,)))
    expect(button).to_be_enabled()
    button.click()
    expect(page.get_by_text("Quay: 2 new, 0 changed, 0 unchanged, 0 gone, 2 rejected.")).to_be_visible()
    wait_until_synced(service)
    page.wait_for_selector(SETTLED)
    page.get_by_role("link", name="Show the provider accounts of Quay").click()
    grid = page.frame_locator("iframe[title*=agGrid]")
    expect(grid.get_by_text("Quay Import One")).to_be_visible()
    row = grid.locator(".ag-row", has_text="kestrel09.de")
    expect(row).to_contain_text("Kestrel 09")


def test_a_file_that_holds_too_much_is_a_sentence_where_it_was_chosen(page: Page, app_url: str, provider: int) -> None:
    go(page, app_url, "import?provider=Quay", "Import")
    mime = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    content = XLSX["a row numbered a thousand million"][0]()
    file = {"name": "customers.xlsx", "mimeType": mime, "buffer": content}
    page.locator("input[type=file]").set_input_files(files=[file])  # type: ignore[list-item]
    expect(page.get_by_text("customers.xlsx has a row 1,000,000,000")).to_be_visible()
    expect(page.get_by_text("Nothing was read.")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Import [0-9]"))).to_have_count(0)


def test_an_encoding_that_nobody_can_guess_is_chosen_where_the_file_was_refused(
    page: Page, app_url: str, provider: int
) -> None:
    go(page, app_url, "import?provider=Quay", "Import")
    content = b"Kundennummer;Firma\r\nQ-9;" + "üìÅ".encode("cp850")
    file = {"name": "customers.csv", "mimeType": "text/csv", "buffer": content}
    page.locator("input[type=file]").set_input_files(files=[file])  # type: ignore[list-item]
    expect(page.get_by_text("customers.csv is not a text file")).to_be_visible()
    page.get_by_role("combobox", name="Encoding").click()
    page.get_by_role("option", name="MS-DOS (850)").click()
    expect(page.get_by_text("Read as: CSV, MS-DOS (850), separated by semicolons, headings in line 1")).to_be_visible()
    expect(page.get_by_text("1 line: 1 new · 0 changed · 0 unchanged · 0 with errors")).to_be_visible()
