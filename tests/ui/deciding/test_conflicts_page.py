from __future__ import annotations

import pytest
from stage import ADMIN, World, text_of
from streamlit.testing.v1 import AppTest

from w365.model import DomainList, Role, Status
from w365.service.configuring.settings import domains_on
from w365.service.reading.records import list_rows
from w365.source_records import Customer, CustomerDomain
from w365.store.reading.worklist import Filter
from w365.ui.deciding.conflicts.words import say_names

CONFLICT = Filter(statuses=(Status.CONFLICT,))


@pytest.fixture
def page(world: World) -> AppTest:
    """c0.de and c1.de stand on a second account each."""
    world.crm.twins = ["c0.de", "c1.de"]
    world.sync()
    return world.open("conflicts")


def press(test: AppTest, label: str, key: str = "") -> AppTest:
    return next(one for one in test.button if one.label == label and key in (one.key or "")).click().run()


def test_nothing_in_conflict_is_said_in_one_sentence(world: World) -> None:
    world.sync()
    assert "Nothing points to two places." in text_of(world.open("conflicts"))


def test_a_domain_stands_with_its_accounts_and_who_waits(page: AppTest) -> None:
    text = text_of(page)
    assert "Domains on several accounts (2)" in text
    assert "**c1\\.de** · 2 accounts · 1 open provider account" in text
    assert "Waiting\\: Customer 1" in text
    assert "Twin 1" in text
    assert "Account website" in text


def test_an_account_is_chosen_only_after_the_rows_were_shown(page: AppTest, world: World) -> None:
    press(page, "Choose…", "choose-c1.de")
    assert "**1 provider account** will be mapped" in text_of(page)
    assert page.dataframe[0].value["Provider account"].tolist() == ["Customer 1"]
    assert len(list_rows(world.service, ADMIN, CONFLICT)) == 2
    press(page, "Map 1")
    assert "**1 provider account changed**" in text_of(page)
    assert [row.domain for row in list_rows(world.service, ADMIN, CONFLICT)] == ["c0.de"]
    assert "Domains on several accounts (1)" in text_of(page)


def test_a_choice_that_is_cancelled_leaves_everything(page: AppTest, world: World) -> None:
    press(page, "Choose…", "choose-c1.de")
    press(page, "Cancel")
    assert "will be mapped" not in text_of(page)
    assert len(list_rows(world.service, ADMIN, CONFLICT)) == 2


def test_a_domain_is_marked_as_shared_only_after_its_effect_was_shown(page: AppTest, world: World) -> None:
    press(page, "Mark as shared…", "shared-domains-c1.de")
    assert "Takes **1 provider account** out of conflict." in text_of(page)
    assert domains_on(world.service, ADMIN, DomainList.SHARED) == []
    press(page, "Save")
    assert domains_on(world.service, ADMIN, DomainList.SHARED) == ["c1.de"]
    assert "Domains on several accounts (1)" in text_of(page)


def test_a_domain_may_stand_under_two_headings(world: World) -> None:
    """Two customers have it and two accounts: each heading has buttons of its own."""
    world.crm.twins = ["c1.de"]
    world.portal.customers.append(Customer("again", "Again", "c1.de", (CustomerDomain("c1.de"),), "domains"))
    world.sync()
    page = world.open("conflicts")
    assert "nobody foresaw" not in text_of(page)
    assert [button.key for button in page.button if button.label == "Exclude…"] == [
        "excluded-domains-c1.de",
        "excluded-customers-c1.de",
    ]


def _page_of(role: int) -> None:
    """The page as a person with this role sees it; a script of its own."""
    import streamlit as st

    from w365.model import Actor, Role
    from w365.ui.deciding.conflicts.page import show_conflicts
    from w365.ui.frame import app_runtime, pages
    from w365.ui.frame.page_context import PageContext

    def show() -> None:
        show_conflicts(PageContext(app_runtime.service(), Actor("ann", Role(role)), ""))

    st.navigation([st.Page(show, title="Conflicts"), st.Page(pages.PROVIDER_ACCOUNTS.path)]).run()


def test_an_account_chosen_for_several_is_taken_back_as_one(page: AppTest, world: World) -> None:
    domains = (CustomerDomain("c1.de", is_default=True),)
    world.portal.customers.append(Customer("id-again", "Customer 1 again", "c1.de", domains, "domains"))
    world.sync()
    page.run()
    press(page, "Choose for 2…", "choose-c1.de")
    assert "**2 provider accounts** will be mapped" in text_of(page)
    assert len(list_rows(world.service, ADMIN, CONFLICT)) == 3
    press(page, "Map 2")
    assert [row.domain for row in list_rows(world.service, ADMIN, CONFLICT)] == ["c0.de"]
    press(page, "Undo")
    press(page, "Take back 2")
    assert len(list_rows(world.service, ADMIN, CONFLICT)) == 3


@pytest.mark.usefixtures("page")
@pytest.mark.parametrize(("role", "labels"), [(Role.VIEWER, set()), (Role.ANALYST, {"Choose…"})])
def test_everybody_looks_and_each_role_has_its_buttons(role: Role, labels: set[str]) -> None:
    seen = AppTest.from_function(_page_of, kwargs={"role": role.value}, default_timeout=20).run()
    assert not seen.exception
    assert "Domains on several accounts (2)" in text_of(seen)
    assert {one.label for one in seen.button} == labels


def test_names_beyond_the_first_are_counted() -> None:
    assert say_names(["A", "B"], 2) == "A, B"
    assert say_names(["A", "B"], 1_002) == "A, B and 1,000 more"
