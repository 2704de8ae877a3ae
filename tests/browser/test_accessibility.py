"""Every page, light and dark, through axe."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_checks import violations
from driving import PAGES, go
from playwright.sync_api import Page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("place", PAGES)
def test_axe_finds_nothing_that_is_ours(place: str, scheme: str, new_page: Callable[..., Page], app_url: str) -> None:
    page = new_page(scheme=scheme)
    go(page, app_url, place, PAGES[place])
    page.wait_for_timeout(1_500)
    assert not violations(page)
