"""Connecting on the Providers page: what an admin enters is stored, what the environment sets is only shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fresh_stores import put_migrated
from stage import ADMIN, ROOT, OnStage, World
from streamlit.testing.v1 import AppTest

from w365.config import load_settings
from w365.model import ProviderKind
from w365.service import Service
from w365.service.bootstrap import open_service
from w365.service.connecting.stored_connections import get_connection
from w365.service.syncing.providers import list_providers
from w365.ui.frame import app_runtime

SECRET = "canary-of-the-form"
PARTS = {"Tenant": "partner.example", "Client id": "client-1", "Client secret": SECRET}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Service]:
    """A database of one's own in which nothing is connected."""
    settings = load_settings({"W365_HOME": str(tmp_path), "W365_DEMO": "off"}, tmp_path / "none.toml")
    put_migrated(tmp_path)
    service = open_service(settings)
    app_runtime.use(OnStage(service))  # type: ignore[arg-type]
    yield service
    app_runtime.use(None)
    service.store.close()


def providers_page() -> AppTest:
    test = AppTest.from_file(str(ROOT / "w365" / "ui" / "main.py"), default_timeout=20).run()
    return test.switch_page(str(ROOT / "pages" / "providers.py")).run()


def press(test: AppTest, label: str) -> AppTest:
    return next(one for one in test.button if one.label == label).click().run()


def fill(test: AppTest, values: dict[str, str]) -> None:
    for label, text in values.items():
        next(one for one in test.text_input if one.label == label).set_value(text)


def said(test: AppTest) -> str:
    return " ".join(
        str(one.value) for kind in ("error", "warning", "info", "success", "markdown") for one in test.get(kind)
    )


def form_of_the_first_provider() -> None:
    """A page that is the dialog alone: AppTest runs the whole page at each click, which closes a dialog."""
    from w365.service.access import local_user
    from w365.ui.connecting.form import edit_connection
    from w365.ui.frame import app_runtime
    from w365.ui.frame.page_context import PageContext
    from w365.ui.frame.page_frame import report_errors

    with report_errors():
        edit_connection(PageContext(app_runtime.service(), local_user(), ""), "1")


def form_of_a_further_provider() -> None:
    from w365.service.access import local_user
    from w365.ui.connecting.form import connect_provider
    from w365.ui.frame import app_runtime
    from w365.ui.frame.page_context import PageContext
    from w365.ui.frame.page_frame import report_errors

    with report_errors():
        connect_provider(PageContext(app_runtime.service(), local_user(), ""))


def test_the_card_of_an_unconnected_provider_offers_to_connect_it(own: Service) -> None:
    test = press(providers_page(), "Connect…")
    assert {one.label for one in test.text_input} >= {"Address", "Tenant", "Client id", "Client secret"}
    assert not [one.label for one in test.button if "demo…" in one.label]


def test_a_connection_is_entered_refused_mended_and_never_shows_its_secret_again(own: Service) -> None:
    test = AppTest.from_function(form_of_the_first_provider).run()
    fill(test, PARTS | {"Tenant": "no tenant"})
    press(test, "Save")
    assert "Tenant is neither a GUID nor a domain name" in said(test)
    assert not get_connection(own, ADMIN, "1").has_secret
    fill(test, PARTS)
    press(test, "Save")
    assert get_connection(own, ADMIN, "1").has_secret
    again = AppTest.from_function(form_of_the_first_provider).run()
    shown = {one.label: one.value for one in again.text_input}
    assert (shown["Tenant"], shown["Client secret"]) == ("partner.example", "")
    assert SECRET not in str(again)
    page = providers_page()
    assert "Verify connection" in [one.label for one in page.button]
    page.switch_page(str(ROOT / "pages" / "configuration.py")).run()
    changes = page.dataframe[-1].value
    assert list(changes["New value"][changes["Setting"] == "Connection of Partner Center: Client secret"]) == [
        "changed"
    ]
    assert SECRET not in str(page)


@pytest.mark.parametrize("label", ["Address", "Tenant"])
def test_what_is_wrong_with_a_field_stands_below_it(own: Service, label: str) -> None:
    test = AppTest.from_function(form_of_the_first_provider).run()
    fill(test, PARTS | {label: "https://169.254.169.254"})
    press(test, "Save")
    order = [getattr(one, "label", None) or one.type for one in flat(test.main) if one.type in {"text_input", "error"}]
    assert order[order.index("error") - 1] == label
    assert len(test.error) == 1
    assert not get_connection(own, ADMIN, "1").has_secret


def flat(block: Any) -> list[Any]:
    """What a page shows, from top to bottom."""
    below = [one for child in getattr(block, "children", {}).values() for one in flat(child)]
    return [block, *below]


def test_a_further_provider_of_a_kind_gets_a_name_of_its_own(own: Service) -> None:
    test = AppTest.from_function(form_of_a_further_provider).run()
    fill(test, PARTS | {"Name": "Partner Center north"})
    press(test, "Add provider")
    assert [(one.name, one.missing == "") for one in list_providers(own, ADMIN)] == [
        ("Partner Center", False),
        ("Partner Center north", True),
    ]


def test_what_the_environment_sets_is_shown_read_only_and_without_its_secret(world: World) -> None:
    test = press(world.open("providers"), "Connection…")
    assert "The environment sets this connection, and it wins." in said(test)
    table = test.dataframe[-1].value
    found = dict(zip(table["Setting"], table["Value"], strict=True))
    assert found["W365_PARTNER_CENTER_CLIENT_SECRET"] == "set, not shown"
    assert found["W365_PARTNER_CENTER_TENANT_ID"] == "fabrikam.example.com"
    assert not [one for one in test.button if one.label == "Save"]


def test_what_pax8_demands_of_its_credentials_stands_before_they_are_entered(own: Service) -> None:
    test = AppTest.from_function(form_of_a_further_provider, default_timeout=20).run()
    rules = [one.value for one in test.caption if "third parties" in one.value]
    assert rules == []
    test = test.selectbox[0].set_value(ProviderKind.PAX8).run()
    assert len([one.value for one in test.caption if "not to be given to third parties" in one.value]) == 1
