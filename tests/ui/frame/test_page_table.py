"""The table of the pages and the files in `pages/` say the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from w365.model import Role
from w365.ui.frame.extras import EXTRAS, Slot
from w365.ui.frame.pages import IMPORT, PAGES, PEOPLE, Page, load_function

FOLDER = Path(__file__).resolve().parents[3] / "pages"


def test_every_file_is_a_page_and_every_page_a_file() -> None:
    assert sorted(page.path for page in PAGES) == sorted(map(str, FOLDER.glob("*.py")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.place)
def test_a_page_names_a_function_that_is_there(page: Page) -> None:
    assert page.load().__name__.startswith("show_")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.place)
def test_a_file_opens_its_own_page(page: Page) -> None:
    opened = Path(page.path).read_text(encoding="utf-8").rstrip().splitlines()[-1]
    assert opened == f"open_page({page.place.upper()})"


def test_titles_and_addresses_are_told_apart() -> None:
    assert len({page.title for page in PAGES}) == len({page.place for page in PAGES}) == len(PAGES)


def test_who_only_looks_opens_every_page_but_the_import_and_the_people() -> None:
    assert {page.place: page.role for page in PAGES if page.role > Role.VIEWER} == {
        IMPORT.place: Role.ANALYST,
        PEOPLE.place: Role.ADMIN,
    }


@pytest.mark.parametrize("slot", Slot)
def test_every_slot_names_functions_that_are_there(slot: Slot) -> None:
    assert all(callable(load_function(function)) for function in EXTRAS[slot])
