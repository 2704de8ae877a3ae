"""Conflicts, as an analyst and an admin settle them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from app_process import wait_until_synced
from driving import go
from playwright.sync_api import Locator, Page, expect

from w365.model import DomainList, Status
from w365.service import Service
from w365.service.access import local_user
from w365.service.configuring.settings import domains_on
from w365.service.deciding.mapping import clear_mapping
from w365.service.matching.run import PendingChange, make_change, refresh_touched
from w365.service.reading.records import list_rows
from w365.store.reading.worklist import Filter, Row


def stored(service: Service, name: str) -> Row:
    return list_rows(service, local_user(), Filter(text=name))[0]


def box(page: Page, domain: str) -> Locator:
    """The card of a domain: the innermost one that names it and has its buttons."""
    return page.get_by_test_id("stVerticalBlock").filter(has_text=f"Waiting: {domain}").last


@pytest.fixture
def restored(service: Service) -> Iterator[None]:
    """Leave the domain lists as they were."""
    before = domains_on(service, local_user(), DomainList.SHARED)
    yield
    make_change(service, local_user(), PendingChange(domains={DomainList.SHARED: tuple(before)}))
    refresh_touched(service)


def test_the_account_is_chosen_for_everyone_of_a_domain(page: Page, app_url: str, service: Service) -> None:
    wait_until_synced(service)
    before = stored(service, "Heron 01 AG")
    assert before.status is Status.CONFLICT
    go(page, app_url, "conflicts", "Conflicts")
    card = box(page, "Heron 01 AG")
    expect(card).to_contain_text("2 accounts · 1 open provider account")
    card.get_by_role("button", name="Choose…").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(re.compile("Assign to Heron 01.*1 provider account will be mapped", re.DOTALL))
    assert stored(service, "Heron 01 AG") == before
    dialog.get_by_role("button", name="Map 1", exact=True).click()
    expect(page.get_by_text("1 provider account changed")).to_be_visible()
    now = stored(service, "Heron 01 AG")
    assert (now.status, now.origin) == (Status.MAPPED, "manual")
    clear_mapping(service, local_user(), now.id, seen=now.version)


@pytest.mark.usefixtures("restored")
def test_a_domain_is_marked_as_shared_after_its_effect_was_shown(page: Page, app_url: str, service: Service) -> None:
    go(page, app_url, "conflicts", "Conflicts")
    box(page, "Heron 02 AG").get_by_role("button", name="Mark as shared…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Takes 1 provider account out of conflict.")
    assert stored(service, "Heron 02 AG").status is Status.CONFLICT
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.").first).to_be_visible()
    expect(page.get_by_text("Waiting: Heron 02 AG")).to_have_count(0)
    assert "heron02.de" in domains_on(service, local_user(), DomainList.SHARED)
    assert stored(service, "Heron 02 AG").status is Status.UNMAPPED
