"""The record of a provider account, as an analyst opens it from the grid."""

from __future__ import annotations

import re

from driving import Grid, stored, unfold
from playwright.sync_api import Page, expect

from w365.model import Status
from w365.service import Service


def test_a_double_click_opens_the_record_and_accept_maps(page: Page, app_url: str, service: Service) -> None:
    grid = Grid(page, app_url, "status=conflict&text=heron")
    grid.cell("name", "Heron 04").dblclick()
    record = page.get_by_role("dialog")
    expect(record).to_contain_text("heron04.de is the e-mail domain of 1 contact")
    expect(record).to_contain_text("Business Premium")
    record.get_by_role("button", name="Accept", exact=True).first.click()
    expect(record).to_have_count(0)
    expect(grid.cell("status", "Heron 04")).to_have_text(re.compile("Mapped"))
    assert stored(service, "heron 04").account_name.startswith("Heron 04")


def test_not_this_keeps_the_record_open_and_can_be_taken_back(page: Page, app_url: str) -> None:
    grid = Grid(page, app_url, "status=conflict&text=heron")
    grid.cell("name", "Heron 05").click()
    page.keyboard.press("Enter")
    record = page.get_by_role("dialog")
    record.get_by_role("button", name="Not this").first.click()
    unfold(record, "Rejected accounts: 1")
    record.get_by_role("button", name="Take back").click()
    expect(record.get_by_text("Rejected accounts: 1")).to_have_count(0)
    unfold(record, "History: 2 decisions")
    expect(record).to_contain_text("Rejection taken back")


def test_setting_aside_needs_a_reason_and_can_be_reopened(page: Page, app_url: str, service: Service) -> None:
    grid = Grid(page, app_url, "status=unmapped&text=osprey")
    grid.cell("name", "Osprey 03").dblclick()
    record = page.get_by_role("dialog")
    unfold(record, "Exclude or park")
    record.get_by_role("button", name="Exclude", exact=True).click()
    expect(record).to_contain_text("A reason is needed.")
    record.get_by_label("Reason").fill("A test tenant")
    record.get_by_label("Reason").press("Tab")
    record.get_by_role("button", name="Exclude", exact=True).click()
    expect(record).to_have_count(0)
    expect(grid.cell("status", "Osprey 03")).to_have_text(re.compile("Excluded"))
    grid.cell("name", "Osprey 03").dblclick()
    expect(record).to_contain_text("A test tenant")
    record.get_by_role("button", name="Reopen").click()
    expect(record.get_by_role("button", name="Reopen")).to_have_count(0)
    assert stored(service, "osprey 03").status is Status.UNMAPPED


def test_an_account_is_created_and_mapped_after_a_look_at_similar_ones(
    page: Page, app_url: str, service: Service
) -> None:
    grid = Grid(page, app_url, "status=unmapped&text=osprey")
    grid.cell("name", "Osprey 04").dblclick()
    record = page.get_by_role("dialog")
    unfold(record, "Create an account")
    expect(record.get_by_label("Name", exact=True)).to_have_value("Osprey 04 Ltd")
    expect(record.get_by_label("Website")).to_have_value("https://osprey04.co.uk")
    record.get_by_role("button", name="Create in the CRM and map").click()
    expect(record).to_have_count(0, timeout=30_000)
    expect(grid.cell("account", "Osprey 04")).to_contain_text("Osprey 04 Ltd")
    assert stored(service, "osprey 04").account_name == "Osprey 04 Ltd"
