"""People sign in through a real identity provider, which is another site, and stay as long as their session."""

from __future__ import annotations

import datetime as dt
import hmac
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from app_process import free_port, running_app, wait_until_synced
from driving import Grid, go, stored, wait_until_still
from identity_provider import Provider, give_login, identity_provider
from itsdangerous import TimestampSigner
from playwright.sync_api import Page, Route, expect
from small_world import small_world
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value

from w365.api.tokens import HEADER, _signer
from w365.config import DEMO_SERVED, load_settings
from w365.demo.servers import Servers, serve
from w365.model import AuditKind, Role, Status
from w365.service import Service
from w365.service.access import local_user
from w365.service.bootstrap import open_service
from w365.service.deciding.collaboration import list_notes
from w365.service.people.roles import end_sessions, list_audit_log, list_people, set_role
from w365.store.tables import Session
from w365.ui.server.token_cookie import NAME

PEOPLE = {
    "ann": {"name": "Ann Lee", "roles": ["admin"]},
    "bo": {"name": "Bo Ray", "groups": ["the-analysts"]},
    "eve": {"name": "Eve"},
}
NewPage = Callable[..., Page]


@pytest.fixture(scope="module")
def url() -> str:
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("team")


@pytest.fixture(scope="module")
def provider(url: str, home: Path) -> Iterator[Provider]:
    with identity_provider(home, url, PEOPLE) as running:
        yield running


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Of this module alone: what other journeys did to the small world is not in them."""
    with serve(small_world(), home=tmp_path_factory.mktemp("servers")) as running:
        yield running


@pytest.fixture(scope="module")
def team(servers: Servers, provider: Provider, url: str, home: Path) -> Iterator[Service]:
    """The database of the app, which runs with the identity provider."""
    further = {DEMO_SERVED: "1", "W365_ANALYST_ROLES": "the-analysts", **servers.environment()}
    settings = {"W365_HOME": str(home), **provider.settings(url), **further}
    service = open_service(load_settings(settings, home / "none.toml"))
    with running_app(home, settings, int(url.rpartition(":")[2])):
        wait_until_synced(service)
        yield service


def sign_in(page: Page, address: str, login: str) -> None:
    page.goto(address)
    page.get_by_role("button", name="Sign in", exact=True).click()
    give_login(page, login)


def signed_in(page: Page, name: str, role: str) -> None:
    expect(page.get_by_test_id("stSidebar").get_by_text(f"Signed in as {name} · {role}")).to_be_visible()


def cookie_secret(service: Service) -> str:
    return hmac.digest(service.settings.secret_key.encode(), b"sign-in cookie", "sha256").hex()


def last_refusal(service: Service) -> str:
    log = list_audit_log(service, local_user(), limit=20)
    return next((row.about for row in log if row.kind is AuditKind.REFUSAL), "")


def test_a_sign_in_leads_to_the_page_that_was_asked_for_with_the_role_of_a_group(
    new_page: NewPage, team: Service, provider: Provider, url: str
) -> None:
    page = new_page()
    row = stored(team, "Osprey 01")
    asked = f"{url}/provider_accounts?status=unmapped&text=osprey&record={row.id}"
    sign_in(page, asked, "bo")
    signed_in(page, "Bo Ray", "analyst")
    expect(page.get_by_role("dialog").get_by_role("heading", name="Osprey 01")).to_be_visible()
    assert page.url.startswith(f"{url}/provider_accounts?")
    assert provider.told("asked")[-1]["code_challenge_method"] == "S256"
    kept = {cookie["name"]: cookie for cookie in page.context.cookies(url)}
    assert {kept[name]["sameSite"] for name in ("_streamlit_user", "w365_browser")} == {"Lax", "Strict"}
    assert all(cookie["httpOnly"] for name, cookie in kept.items() if name != "_streamlit_xsrf")
    assert "w365_asked" not in kept
    opened = decode_signed_value(cookie_secret(team), NAME, kept[NAME]["value"])
    assert opened
    assert set(json.loads(opened)) == {"id_token"}


@pytest.mark.parametrize("fault", ["nonce", "expired"])
def test_an_answer_that_cannot_be_used_signs_nobody_in_and_is_said(
    new_page: NewPage, team: Service, provider: Provider, url: str, fault: str
) -> None:
    page = new_page()
    with provider.fault(fault):
        sign_in(page, f"{url}/review", "ann")
        expect(page.get_by_text("The sign-in did not work: it took too long")).to_be_visible()
    assert page.url == f"{url}/review"
    assert last_refusal(team) == "A sign-in failed: an answer of the identity provider could not be used"
    assert "_streamlit_user" not in {cookie["name"] for cookie in page.context.cookies(url)}
    page.get_by_role("button", name="Sign in", exact=True).click()
    give_login(page, "ann")
    signed_in(page, "Ann Lee", "admin")


def test_whoever_turns_back_at_the_provider_reads_it_on_the_page(
    new_page: NewPage, team: Service, provider: Provider, url: str
) -> None:
    page = new_page()
    page.goto(url)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_text("The identity provider did not sign you in.")).to_be_visible()
    assert page.url == f"{url}/"
    assert last_refusal(team) == "A sign-in failed: the identity provider signed nobody in"


def test_an_answer_to_a_sign_in_that_nobody_began_here_is_refused(new_page: NewPage, team: Service, url: str) -> None:
    page = new_page()
    page.goto(f"{url}/oauth2callback?code=stolen&state=made-up")
    expect(page.get_by_text("was not begun in this browser")).to_be_visible()


def test_who_has_no_role_is_told_so_and_can_sign_in_as_somebody_else(
    new_page: NewPage, team: Service, provider: Provider, url: str
) -> None:
    page = new_page()
    sign_in(page, url, "eve")
    expect(page.get_by_text("Eve is signed in, but has no role here.")).to_be_visible()
    expect(page.get_by_test_id("stCode")).to_have_text(f"{provider.issuer}#eve")
    page.get_by_role("button", name="Sign in as somebody else").click()
    page.get_by_role("button", name="Yes, sign me out").click()
    page.get_by_role("button", name="Sign in", exact=True).click()
    give_login(page, "ann")
    signed_in(page, "Ann Lee", "admin")


def test_a_link_of_another_site_leaves_the_tabs_that_are_open_as_they_are(
    new_page: NewPage, team: Service, provider: Provider, url: str
) -> None:
    page = new_page()
    sign_in(page, f"{url}/provider_accounts?status=unmapped&text=osprey", "ann")
    signed_in(page, "Ann Lee", "admin")
    grid = Grid(page, url, "status=unmapped&text=osprey")
    name = browser_name(page, url)
    mail = page.context.new_page()
    mail.goto(f"{provider.issuer}/-/faults")  # any page of another site
    mail.set_content(f'<a href="{url}/provider_accounts?status=mapped">Look</a>')
    mail.get_by_role("link").click()
    signed_in(mail, "Ann Lee", "admin")
    assert browser_name(page, url) == name
    grid.choose("Osprey 02", "kestrel 02")
    expect(grid.cell("status", "Osprey 02")).to_contain_text("Mapped")
    page.get_by_role("button", name="download").click()
    with page.expect_download() as got:
        page.get_by_role("dialog").get_by_role("link", name="Download CSV").click()
    assert got.value.suggested_filename.endswith(".csv")
    assert stored(team, "Osprey 02").status is Status.MAPPED


def browser_name(page: Page, url: str) -> str:
    return next(cookie["value"] for cookie in page.context.cookies(url) if cookie["name"] == "w365_browser")


def test_signing_out_ends_the_providers_session_and_the_other_tabs(
    new_page: NewPage, team: Service, provider: Provider, url: str
) -> None:
    page = new_page()
    sign_in(page, url, "ann")
    signed_in(page, "Ann Lee", "admin")
    other = page.context.new_page()
    go(other, url, "conflicts", "Conflicts")
    stolen = page.context.cookies(url)
    before = len(provider.told("signed out"))
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Yes, sign me out").click()
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    assert len(provider.told("signed out")) == before + 1
    assert "sign-in" not in page.url
    expect(other.get_by_text("You are signed out.")).to_be_visible(timeout=30_000)  # by itself, after 20 seconds
    expect(other.get_by_role("link", name="Review")).to_have_count(0)
    thief = new_page()
    thief.context.add_cookies(stolen)  # type: ignore[arg-type] - what a context gave is what one takes
    thief.goto(f"{url}/conflicts")
    expect(thief.get_by_text("You are signed out.")).to_be_visible()


def end_all_sessions(service: Service) -> None:
    for view in list_people(service, local_user()):
        end_sessions(service, local_user(), view.person.id)


def sign_in_again(page: Page, login: str) -> None:
    """Use the way in that a page with an ended session offers: a tab of its own, which is closed afterwards."""
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Sign in", exact=True).click()
    tab = opened.value
    tab.get_by_role("button", name="Sign in", exact=True).click()
    give_login(tab, login)
    signed_in(tab, PEOPLE[login]["name"], "admin")
    tab.close()
    expect(page.get_by_text("You are signed out.")).to_have_count(0)


def test_a_note_that_was_typed_is_there_after_signing_in_again(new_page: NewPage, team: Service, url: str) -> None:
    page = new_page()
    row = stored(team, "Osprey 03")
    sign_in(page, f"{url}/provider_accounts?status=unmapped&record={row.id}", "ann")
    note = page.get_by_role("dialog").get_by_label("Note")
    wait_until_still(page)
    note.fill("Ask Ms Diaz first")
    end_all_sessions(team)
    page.get_by_role("dialog").get_by_role("button", name="Save note").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    expect(page.locator("iframe[title*=agGrid]")).to_have_count(0)
    sign_in_again(page, "ann")
    expect(note).to_have_value("Ask Ms Diaz first")
    page.get_by_role("dialog").get_by_role("button", name="Save note").click()
    expect(page.get_by_role("dialog").get_by_text("Ann Lee")).to_be_visible()


def run_out(team: Service) -> None:
    """Let two hours go by in which nobody uses a session."""
    with team.store.write() as connection:
        connection.execute(sa.update(Session).values(used_at=team.clock() - dt.timedelta(hours=2)))


RAN_OUT = "You were signed out because nothing was done here for a while."


def sign_in_from_toast(page: Page, login: str) -> None:
    with page.context.expect_page() as opened:
        page.get_by_test_id("stToast").get_by_role("link", name="Sign in").click()
    tab = opened.value
    tab.get_by_role("button", name="Sign in", exact=True).click()
    give_login(tab, login)
    expect(tab.get_by_test_id("stSidebar").get_by_text("Signed in as")).to_be_visible()
    tab.close()


def test_what_is_being_typed_stays_where_the_session_runs_out(new_page: NewPage, team: Service, url: str) -> None:
    page = new_page()
    page.clock.install()
    row = stored(team, "Osprey 07")
    sign_in(page, f"{url}/provider_accounts?status=unmapped&record={row.id}", "ann")
    dialog = page.get_by_role("dialog")
    note = dialog.get_by_label("Note")
    wait_until_still(page)
    note.fill("Ask Ms Diaz first")  # and the field is not left: only the browser knows it
    run_out(team)
    page.clock.fast_forward(21_000)
    expect(page.get_by_test_id("stToast").get_by_text(RAN_OUT)).to_be_visible()
    expect(note).to_have_value("Ask Ms Diaz first")
    dialog.get_by_role("button", name="Save note").click()
    expect(note).to_have_value("Ask Ms Diaz first")
    sign_in_from_toast(page, "ann")
    expect(page.get_by_text(RAN_OUT)).to_have_count(0)
    expect(note).to_have_value("Ask Ms Diaz first")
    dialog.get_by_role("button", name="Save note").click()
    expect(dialog.get_by_text("Ann Lee")).to_be_visible()
    assert [each.text for each in list_notes(team, local_user(), row.id)] == ["Ask Ms Diaz first"]


def test_a_page_that_stayed_is_not_for_the_next_person_at_that_browser(
    new_page: NewPage, team: Service, url: str
) -> None:
    page = new_page()
    page.clock.install()
    sign_in(page, f"{url}/configuration", "ann")
    page.get_by_role("tab", name="Free-mail domains").click()
    area = page.get_by_label("Free-mail domains, one a line")
    area.fill("mail.example")
    run_out(team)
    page.clock.fast_forward(21_000)
    expect(page.get_by_test_id("stToast").get_by_text(RAN_OUT)).to_be_visible()
    expect(area).to_have_value("mail.example")
    sign_in_from_toast(page, "bo")
    expect(page.get_by_test_id("stAlert").get_by_text("You are signed out.")).to_be_visible()
    expect(area).to_have_count(0)
    page.reload()
    expect(page.get_by_test_id("stSidebar").get_by_text("Signed in as Bo Ray")).to_be_visible()
    expect(page.get_by_text("mail.example")).to_have_count(0)


def test_a_form_that_was_filled_in_is_there_after_signing_in_again(new_page: NewPage, team: Service, url: str) -> None:
    page = new_page()
    sign_in(page, f"{url}/configuration", "ann")
    page.get_by_role("tab", name="Free-mail domains").click()
    area = page.get_by_label("Free-mail domains, one a line")
    area.fill("mail.example\nfree.example")
    end_all_sessions(team)
    area.locator("xpath=ancestor::*[@data-testid='stForm']").get_by_role("button", name="Check the effect").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    sign_in_again(page, "ann")
    expect(area).to_have_value("mail.example\nfree.example")


def test_a_reason_that_was_typed_in_review_is_there_after_signing_in_again(
    new_page: NewPage, team: Service, url: str
) -> None:
    page = new_page()
    sign_in(page, f"{url}/review", "ann")
    page.get_by_role("button", name="Exclude").click()
    reason = page.get_by_label("Reason")
    wait_until_still(page)
    reason.fill("A test tenant")
    end_all_sessions(team)
    page.get_by_test_id("stForm").get_by_role("button", name="Exclude").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    sign_in_again(page, "ann")
    expect(reason).to_have_value("A test tenant")


def test_the_reason_of_a_bulk_change_is_there_after_signing_in_again(
    new_page: NewPage, team: Service, url: str
) -> None:
    page = new_page()
    sign_in(page, url, "ann")
    signed_in(page, "Ann Lee", "admin")
    grid = Grid(page, url, "status=unmapped&text=osprey%2004")
    grid.frame.locator(".ag-pinned-left-cols-container input[type=checkbox]").first.click()
    grid.frame.get_by_role("button", name="Exclude").click()
    reason = page.get_by_role("dialog").get_by_label("Reason")
    reason.fill("A test tenant")
    end_all_sessions(team)
    page.get_by_role("dialog").get_by_role("button", name="Preview").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    sign_in_again(page, "ann")
    expect(reason).to_have_value("A test tenant")
    page.get_by_role("dialog").get_by_role("button", name="Preview").click()
    expect(page.get_by_role("button", name="Exclude 1")).to_be_visible()


def grown_old(token: str, service: Service) -> str:
    """The same token, given out an hour ago."""

    class Earlier(TimestampSigner):
        def get_timestamp(self) -> int:
            return super().get_timestamp() - 3600

    signer = _signer(service.settings.secret_key)
    content = signer.loads(token)
    signer.signer = Earlier
    return str(signer.dumps(content))


def test_a_token_that_grew_old_is_renewed_without_anybody_noticing(new_page: NewPage, team: Service, url: str) -> None:
    page = new_page()
    sign_in(page, url, "ann")
    signed_in(page, "Ann Lee", "admin")
    grid = Grid(page, url, "status=unmapped&text=osprey")
    tokens: list[str] = []
    places: list[str] = []

    def send_old(route: Route) -> None:
        token = route.request.headers[HEADER.lower()]
        tokens.append(token)
        places.append(route.request.url.removeprefix(url))
        old = grown_old(token, team) if token == tokens[0] else token
        route.continue_(headers={**route.request.headers, HEADER.lower(): old})

    page.route("**/api/*", send_old)
    grid.choose("Osprey 06", "kestrel 04")
    expect(grid.cell("status", "Osprey 06")).to_contain_text("Mapped")
    assert places[1] == "/api/token"
    assert places[0] == places[2]  # what was refused is asked again with the new token
    assert places.count("/api/token") == 1
    assert tokens[2] != tokens[0]


def test_a_grid_whose_session_ended_says_so_and_goes_on_after_signing_in_again(
    new_page: NewPage, team: Service, url: str
) -> None:
    page = new_page()
    sign_in(page, url, "ann")
    signed_in(page, "Ann Lee", "admin")
    grid = Grid(page, url, "status=unmapped&text=osprey")
    page.evaluate("window.isSamePage = true")
    grid.open("Osprey 05")
    end_all_sessions(team)
    page.keyboard.type("kestrel")
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    expect(page.locator("iframe[title*=agGrid]")).to_have_count(0)
    sign_in_again(page, "ann")
    grid.choose("Osprey 05", "kestrel 05")
    expect(grid.cell("status", "Osprey 05")).to_contain_text("Mapped")
    assert page.evaluate("window.isSamePage")
    assert stored(team, "Osprey 05").status is Status.MAPPED


def test_who_is_demoted_while_choosing_an_account_is_refused_and_sees_what_viewers_see(
    new_page: NewPage, team: Service, url: str
) -> None:
    page = new_page()
    sign_in(page, url, "bo")
    signed_in(page, "Bo Ray", "analyst")
    grid = Grid(page, url, "status=unmapped&text=osprey")
    bo = next(view.person.id for view in list_people(team, local_user()) if view.person.name == "Bo Ray")
    grid.open("Osprey 07")
    page.keyboard.type("kestrel 06")
    expect(grid.note).to_have_text("1 found.")
    set_role(team, local_user(), bo, Role.VIEWER)
    with page.expect_response("**/api/mapping") as saved:
        page.keyboard.press("Enter")
    assert saved.value.status == 403
    assert "This needs the role analyst; you are signed in as viewer." in saved.value.json()["error"]
    signed_in(page, "Bo Ray", "viewer")
    expect(page.get_by_text("Your role was changed: you are viewer now.")).to_be_visible()
    expect(grid.frame.locator(".ag-pinned-left-cols-container input[type=checkbox]")).to_have_count(0)
    assert stored(team, "Osprey 07").status is Status.UNMAPPED
    set_role(team, local_user(), bo, None)
