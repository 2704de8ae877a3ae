"""The grid and its lookup cell, as an analyst uses them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from urllib.parse import quote

import pytest
from axe_checks import violations
from driving import Grid, stored
from playwright.sync_api import Page, expect
from small_world import SCRIPT_NAME

from w365.model import Status
from w365.service import Service
from w365.service.access import local_user
from w365.service.reading.records import list_rows
from w365.store.reading.worklist import Filter, Sort

NewPage = Callable[..., Page]
EVIL = "::JSCODE::(window.top.document.title = 'run')::JSCODE::"


def statuses(page: Page) -> str:
    return page.get_by_test_id("stButtonGroup").inner_text().replace("\n", " ")


def test_a_chosen_account_is_saved_and_still_there_after_a_reload(page: Page, app_url: str, service: Service) -> None:
    grid = Grid(page, app_url, "status=unmapped")
    before = stored(service, "osprey 00")
    counts = statuses(page)
    grid.choose("Osprey 00", "kestrel 07")
    expect(grid.cell("account", "Osprey 00")).to_contain_text("Saved")
    expect(grid.cell("account", "Osprey 00")).to_contain_text("Kestrel 07")
    expect(grid.cell("status", "Osprey 00")).to_have_text(re.compile("Mapped"))
    after = stored(service, "osprey 00")
    assert (before.status, after.status, after.account_name) == (Status.UNMAPPED, Status.MAPPED, "Kestrel 07")
    page.wait_for_function("old => !document.body.innerText.replaceAll('\\n', ' ').includes(old)", arg=counts)
    expect(grid.cell("account", "Osprey 00")).to_contain_text("Kestrel 07")  # the row stays where the eye is
    again = Grid(page, app_url, "status=mapped&text=osprey")
    expect(again.cell("account", "Osprey 00")).to_contain_text("Kestrel 07")


def test_after_saving_the_keyboard_is_on_the_next_open_row(page: Page, app_url: str, service: Service) -> None:
    rows = list_rows(service, local_user(), Filter(text="gmbh"), Sort.NAME, descending=True)
    names = [row.name for row in rows]
    at = names.index("Kestrel 02 GmbH")
    below = next(row for row in rows[at + 1 :] if row.status in (Status.UNMAPPED, Status.CONFLICT))
    assert names.index(below.name) > at + 1, "there is none to pass over"
    grid = Grid(page, app_url, "status=all&text=gmbh")
    header = grid.frame.get_by_role("columnheader", name="Provider Name")
    header.click()
    header.click()
    expect(grid.frame.locator(".ag-row[row-index='0'] .w365-name")).to_have_text(names[0])
    grid.choose("Kestrel 02", "heron 00")
    expect(grid.row(below.name).locator(".ag-cell-focus[col-id=account]")).to_be_focused()


def test_where_no_row_below_is_open_the_keyboard_is_on_the_next(page: Page, app_url: str) -> None:
    grid = Grid(page, app_url, "status=all&text=kestrel")
    grid.choose("Kestrel 10", "heron 00")
    focused = grid.row("Kestrel 11").locator(".ag-cell-focus[col-id=account]")
    expect(focused).to_be_focused()


@pytest.mark.parametrize("leave", ["Escape", "Tab", "elsewhere in the grid", "elsewhere on the page"])
def test_leaving_the_editor_without_a_choice_restores_the_cell(
    leave: str, page: Page, app_url: str, service: Service
) -> None:
    grid = Grid(page, app_url, "status=mapped&text=kestrel")
    before = stored(service, "kestrel 01")
    grid.open("Kestrel 01")
    page.keyboard.type("heron")
    expect(grid.note).to_have_text(re.compile("found"))
    if leave == "elsewhere in the grid":
        grid.cell("status", "Kestrel 00").click()
    elif leave == "elsewhere on the page":
        page.get_by_role("heading", name="Provider accounts").click()
    else:
        page.keyboard.press(leave)
    expect(grid.lookup).to_have_count(0)
    expect(grid.cell("account", "Kestrel 01")).to_have_text("Kestrel 01")
    assert stored(service, "kestrel 01") == before


def test_enter_before_the_answer_and_on_no_match_does_nothing(page: Page, app_url: str, service: Service) -> None:
    grid = Grid(page, app_url, "status=mapped&text=kestrel")
    before = stored(service, "kestrel 02")
    grid.open("Kestrel 02")
    page.keyboard.type("heron")
    expect(grid.note).to_have_text(re.compile("found"))  # an account of the answer before is marked now
    page.route("**/api/accounts*", lambda route: (time.sleep(0.5), route.continue_()))
    page.keyboard.type(" 0")
    page.keyboard.press("Enter")
    expect(grid.note).to_have_text("Searching…")
    expect(grid.note).to_have_text(re.compile("found"))
    page.unroute("**/api/accounts*")
    page.keyboard.type("zzz")
    expect(grid.note).to_have_text("No account found.")
    expect(grid.options).to_have_text([re.compile(r"^Clear mapping\s*blocks 1 live subscription, \d+ seats$")])
    page.keyboard.press("Enter")
    expect(grid.lookup).to_be_focused()
    assert stored(service, "kestrel 02") == before


def test_what_is_only_spelt_alike_has_to_be_chosen(page: Page, app_url: str, service: Service) -> None:
    grid = Grid(page, app_url, "status=unmapped&text=osprey")
    before = stored(service, "osprey 07")
    grid.open("Osprey 07")
    page.keyboard.type("kestrle 01")
    expect(grid.options).to_have_text([re.compile("^Kestrel 01.*Spelt a little differently")])
    page.keyboard.press("Enter")
    expect(grid.lookup).to_be_focused()
    assert stored(service, "osprey 07") == before
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(grid.cell("account", "Osprey 07")).to_contain_text("Saved")
    assert stored(service, "osprey 07").account_name == "Kestrel 01"


def test_enter_twice_changes_neither_a_mapping_nor_a_conflict(page: Page, app_url: str, service: Service) -> None:
    for name in ("Kestrel 03", "Heron 00"):
        grid = Grid(page, app_url, f"status=all&text={quote(name)}")
        before = stored(service, name)
        grid.open(name)
        expect(grid.options.first).to_be_visible()
        page.keyboard.press("Enter")
        expect(grid.lookup).to_be_focused()
        assert stored(service, name) == before


def test_clear_mapping_unmaps(page: Page, app_url: str, service: Service) -> None:
    grid = Grid(page, app_url, "status=mapped&text=kestrel")
    grid.open("Kestrel 04", key="F2")
    grid.options.filter(has_text="Clear mapping").click()
    expect(grid.cell("status", "Kestrel 04")).to_have_text(re.compile("Unmapped"))
    assert stored(service, "kestrel 04").account_id is None


def test_delete_on_the_cell_does_not_unmap(page: Page, app_url: str, service: Service) -> None:
    grid = Grid(page, app_url, "status=mapped&text=kestrel")
    grid.cell("account", "Kestrel 05").click()
    page.keyboard.press("Delete")
    page.keyboard.press("Backspace")
    page.keyboard.press("ArrowDown")
    expect(grid.cell("account", "Kestrel 05")).to_have_text("Kestrel 05")
    assert stored(service, "kestrel 05").account_name == "Kestrel 05"


def test_who_comes_second_sees_in_the_row_who_decided(new_page: NewPage, app_url: str, service: Service) -> None:
    query = "status=unmapped&text=osprey"
    first, second = (Grid(new_page(), app_url, query) for _ in range(2))
    first.choose("Osprey 01", "kestrel 08")
    expect(first.cell("account", "Osprey 01")).to_contain_text("Saved")
    second.choose("Osprey 01", "kestrel 09")
    refused = second.cell("account", "Osprey 01")
    expect(refused).to_contain_text("Not saved")
    expect(refused).to_contain_text(f"{local_user().name} decided this row")
    expect(refused).to_contain_text("Kestrel 08")
    assert refused.locator(".w365-refusal").evaluate("e => e.scrollHeight <= e.clientHeight + 1"), "cut off"
    assert stored(service, "osprey 01").account_name == "Kestrel 08"
    second.choose("Osprey 01", "kestrel 09")  # having seen it, the same person may choose again
    expect(second.cell("account", "Osprey 01")).to_contain_text("Saved")
    assert stored(service, "osprey 01").account_name == "Kestrel 09"


def test_a_lost_answer_is_told_in_the_row(page: Page, app_url: str, service: Service) -> None:
    grid = Grid(page, app_url, "status=unmapped&text=osprey")
    page.route("**/api/mapping", lambda route: route.abort())
    grid.choose("Osprey 02", "kestrel 08")
    expect(grid.cell("account", "Osprey 02")).to_contain_text("Not saved. The app did not answer.")
    assert stored(service, "osprey 02").account_id is None


@pytest.mark.parametrize("name", ["text", "status", "reason", "provider"])
def test_code_in_the_address_is_not_run(name: str, page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/provider_accounts?status=all&{name}={quote(EVIL)}")
    grid = page.frame_locator("iframe[title*=agGrid]")
    expect(grid.get_by_role("columnheader", name="Provider Name")).to_be_visible(timeout=30_000)
    shown = grid.get_by_text("No provider account matches.") if name == "text" else grid.locator(".w365-name").first
    expect(shown).to_be_visible()
    assert page.title() != "run"


def test_markup_in_a_name_is_shown_as_it_is(page: Page, app_url: str) -> None:
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    grid = Grid(page, app_url, "status=all&text=scriptname")
    cell = grid.cell("name").first
    expect(cell).to_have_text(SCRIPT_NAME)
    cell.dblclick()
    expect(page.get_by_role("dialog").get_by_text(SCRIPT_NAME)).to_be_visible()


def test_a_view_is_in_the_address_and_comes_back_with_it(page: Page, app_url: str, new_page: NewPage) -> None:
    grid = Grid(page, app_url, "status=all")
    page.get_by_role("radio", name=re.compile("Mapped ")).last.click()
    page.get_by_placeholder("Name, domain, id or account").fill("kestrel 1")
    expect(grid.cell("name").first).to_have_text(re.compile("Kestrel 1"))
    page.wait_for_url(re.compile("status=mapped&text=kestrel"))
    other = Grid(new_page(), app_url, page.url.partition("?")[2])
    expect(other.page.get_by_placeholder("Name, domain, id or account")).to_have_value("kestrel 1")


def test_a_header_sorts_all_rows_and_the_address_takes_the_order_along(
    page: Page, app_url: str, new_page: NewPage
) -> None:
    grid = Grid(page, app_url, "status=mapped&text=kestrel%20gmbh")
    header = grid.frame.get_by_role("columnheader", name="Provider Name")
    header.click()
    page.wait_for_url(re.compile("sort=name"))
    header.click()
    expect(grid.frame.locator(".ag-row[row-index='0'] .w365-name")).to_have_text("Kestrel 19 GmbH")
    page.wait_for_url(re.compile("sort=-name"))
    other = Grid(new_page(), app_url, page.url.partition("?")[2])
    expect(other.frame.locator(".ag-row[row-index='0'] .w365-name")).to_have_text("Kestrel 19 GmbH")
    expect(other.frame.get_by_role("columnheader", name="Provider Name")).to_have_attribute("aria-sort", "descending")
    header.click()  # as at first
    expect(grid.frame.locator(".ag-row[row-index='0'] .w365-name")).not_to_have_text("Kestrel 19 GmbH")
    page.wait_for_url(re.compile("^(?!.*sort=)"))


def test_the_main_job_by_keyboard_alone(page: Page, app_url: str, service: Service) -> None:
    """From the search field into the grid, down to a row, choose an account, open the record and come back."""
    grid = Grid(page, app_url, "status=unmapped&text=osprey")
    page.get_by_placeholder("Name, domain, id or account").focus()
    for _ in range(12):
        page.keyboard.press("Tab")
        if grid.frame.locator(".ag-header-cell:focus, .ag-cell:focus").count():
            break
    page.keyboard.press("ArrowDown")
    expect(grid.frame.locator(".ag-cell-focus")).to_have_count(1)
    grid.cell("name", "Osprey 06").wait_for()
    while "Osprey 06" not in grid.frame.locator(".ag-row-focus").first.inner_text():
        page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.type("kestrel 0")
    expect(grid.note).to_have_text(re.compile("found"))
    page.keyboard.press("ArrowDown")
    chosen = grid.frame.locator("[aria-selected=true] .w365-cut").inner_text()
    page.keyboard.press("Enter")
    expect(grid.cell("account", "Osprey 06")).to_contain_text("Saved")
    assert stored(service, "osprey 06").account_name == chosen
    focused = grid.frame.locator(".ag-row-focus").first
    page.wait_for_timeout(500)  # the keyboard goes on to the next open row, if there is one
    for key in (*("ArrowUp",) * 12, *("ArrowDown",) * 12):
        if "Osprey 06" in focused.inner_text():
            break
        page.keyboard.press(key)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("Mapped to")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("ArrowUp")
    expect(grid.frame.locator(".ag-cell:focus")).to_have_count(1)
    page.keyboard.press("Space")
    expect(grid.frame.locator(".w365-chosen", has_text="1 selected:")).to_be_visible()
    page.keyboard.press("Tab")  # out of the rows, to what can be done to them
    expect(grid.frame.get_by_role("button", name="Accept best…")).to_be_focused()
    page.keyboard.press("Escape")
    expect(grid.frame.locator(".ag-cell:focus")).to_have_count(1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_grid_its_editor_and_the_record(scheme: str, new_page: NewPage, app_url: str) -> None:
    grid = Grid(new_page(scheme=scheme), app_url, "status=all")
    grid.open("Heron 00")
    expect(grid.options.first).to_be_visible()
    frame = next(frame for frame in grid.page.frames if "agGrid" in frame.url)
    assert not violations(frame)
    grid.page.keyboard.press("Escape")
    grid.cell("name", "Heron 00").dblclick()
    expect(grid.page.get_by_role("dialog").get_by_role("button", name="Accept", exact=True).first).to_be_visible()
    assert not violations(grid.page, "[role=dialog]")


def test_the_grid_takes_the_window_and_the_page_does_not_scroll(new_page: NewPage, app_url: str) -> None:
    for width, height in ((1440, 900), (1024, 768)):
        page = new_page(width=width, height=height)
        Grid(page, app_url, "status=all")
        main = "document.querySelector('[data-testid=stMain]')"
        page.wait_for_function(f"() => {main}.scrollHeight <= {main}.clientHeight")
        box = page.locator("iframe[title*=agGrid]").bounding_box()
        assert box is not None
        assert box["height"] >= 420
        assert height - 80 < box["y"] + box["height"] <= height


def test_the_lookup_lies_within_the_grid_wherever_its_row_is(new_page: NewPage, app_url: str) -> None:
    page = new_page(width=1024, height=768)
    grid = Grid(page, app_url, "status=all")
    window = grid.frame.locator(".ag-root-wrapper").bounding_box()
    assert window is not None
    for place in (0, 4, 7, 9):
        grid.frame.locator(f".ag-row[row-index='{place}'] [col-id=account]").click()
        page.keyboard.press("Enter")
        expect(grid.note).not_to_have_text("Searching…")
        box = grid.frame.locator(".w365-lookup").bounding_box()
        assert box is not None
        assert window["y"] <= box["y"]
        assert box["y"] + box["height"] <= window["y"] + window["height"] + 1
        page.keyboard.press("Escape")
