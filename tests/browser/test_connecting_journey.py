"""An admin with an empty database of their own connects Partner Center with a person, in the browser."""

from __future__ import annotations

import re
from pathlib import Path

from app_process import running_app
from driving import SETTLED
from playwright.sync_api import Browser, Page, expect

from w365.demo.servers import PARTNER_CENTER_CLIENT_ID, TENANT_ID, Servers


def enter(page: Page, servers: Servers) -> None:
    page.get_by_test_id("stButton").get_by_role("button", name="Connect…").first.click()
    dialog = page.get_by_role("dialog")
    values = {
        "Address": servers.urls["partner_center"],
        "Tenant": TENANT_ID,
        "Client id": PARTNER_CENTER_CLIENT_ID,
        "Client secret": servers.client_secret,
    }
    for label, text in values.items():
        dialog.get_by_label(label, exact=True).fill(text)
    dialog.get_by_role("combobox", name="Sign-in").click()
    page.get_by_role("option", name="The application with a person who signed in once").click()
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The connection of Partner Center was saved. Verify it.")).to_be_visible()


def consent(page: Page) -> None:
    page.get_by_role("button", name="Sign in…").click()
    expect(page.get_by_text("/api/signed-in")).to_be_visible()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Continue to Microsoft").click()
    tab = opened.value
    tab.get_by_role("button", name="Accept").click()
    expect(tab.get_by_role("heading", name="Signed in")).to_be_visible()
    expect(tab.get_by_text("Signed in as ada.marsh@harbourlight.onmicrosoft.com.")).to_be_visible()
    assert "code=" not in tab.url
    tab.close()


def test_partner_center_is_connected_with_a_person_who_consents_in_the_browser(
    browser: Browser, servers: Servers, tmp_path: Path
) -> None:
    trust = {
        "W365_AUTHORITY": servers.urls["authority"],
        "W365_CA_BUNDLE": str(servers.ca_bundle),
        "W365_ALLOW_PRIVATE_ADDRESSES": "on",
    }
    with running_app(tmp_path, {"W365_DEMO": "off", **trust}) as url:
        context = browser.new_context(viewport={"width": 1440, "height": 900}, ignore_https_errors=True)
        page = context.new_page()
        page.goto(f"{url}/providers")
        page.wait_for_selector(SETTLED)
        enter(page, servers)
        expect(page.get_by_text("Nobody has signed in for this connection yet.")).to_be_visible()
        consent(page)
        page.get_by_role("button", name="Done").click()
        expect(page.get_by_text(re.compile(r"ada\.marsh@.?harbourlight\.onmicrosoft\.com signed in"))).to_be_visible()
        page.get_by_role("button", name="Verify connection").click()
        expect(page.get_by_text("Customers can be listed.").first).to_be_visible()
        context.close()
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert servers.client_secret.encode() not in written
