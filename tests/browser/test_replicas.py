"""Two apps, each with a worker, on one PostgreSQL behind an nginx that sends every request to whichever it likes."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from app_process import free_port, running_app, wait_until
from driving import SETTLED, Grid, go, signed_in, stored
from identity_provider import give_login, identity_provider
from nginx import REPLICAS, nginx
from playwright.sync_api import Page, expect
from team_app import furnish

from w365.config import load_settings
from w365.model import ProcessKind, Status
from w365.service import Service
from w365.service.access import local_user
from w365.service.bootstrap import open_service
from w365.service.processes import get_installation
from w365.service.reading.records import list_rows
from w365.store.db.engine import open_store
from w365.store.reading.worklist import Filter

pytestmark = pytest.mark.postgres

PEOPLE = {"ann": {"name": "Ann Lee", "roles": ["admin"]}, "bo": {"name": "Bo Ray", "roles": ["viewer"]}}
BASE = "/w365"
NewPage = Callable[..., Page]


@dataclass
class Replica:
    """One app with its worker and a data folder of its own, as on a machine of its own."""

    home: Path
    settings: dict[str, str]
    port: int = field(default_factory=free_port)
    _running: ExitStack = field(default_factory=ExitStack)

    def start(self) -> None:
        self._running.enter_context(running_app(self.home, self.settings, self.port, BASE))

    def stop(self) -> None:
        self._running.close()

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.port}{BASE}/{path}", headers=headers, trust_env=False)

    def is_ready(self) -> bool:
        return self.get("readyz").status_code == 200


@dataclass(frozen=True)
class Site:
    url: str
    replicas: tuple[Replica, Replica]
    service: Service


@pytest.fixture(scope="module")
def database(postgres_url: str) -> str:
    """The address of an empty database."""
    name = f"replicas_{secrets.token_hex(6)}"
    server = open_store(postgres_url)
    with server.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(f"CREATE DATABASE {name}")
    server.close()
    return sa.make_url(postgres_url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="module")
def site(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Both replicas, started at once on the empty database."""
    folder, port = tmp_path_factory.mktemp("replicas"), free_port()
    url = f"https://localhost:{port}{BASE}"
    own = {"W365_DEMO": "off", "W365_DATABASE_URL": database, "W365_SECRET_KEY": "the key of both replicas"}
    with identity_provider(folder, url, PEOPLE) as provider, ExitStack() as running:
        settings = own | provider.settings(url)
        replicas = Replica(folder / "first", settings), Replica(folder / "second", settings)
        first, second = (replica.port for replica in replicas)
        running.enter_context(nginx(folder, [port], REPLICAS.format(port=port, first=first, second=second), {}))
        for replica in replicas:
            running.callback(replica.stop)
        with ThreadPoolExecutor() as pool:
            list(pool.map(Replica.start, replicas))
        service = open_service(load_settings({**settings, "W365_HOME": str(folder / "test")}, folder / "none.toml"))
        running.callback(service.store.close)
        furnish(service)
        yield Site(url, replicas, service)


def sign_in(page: Page, site: Site, login: str, place: str) -> None:
    page.goto(f"{site.url}/{place}")
    page.get_by_role("button", name="Sign in", exact=True).click()
    give_login(page, login)
    name, role = PEOPLE[login]["name"], PEOPLE[login]["roles"][0]  # type: ignore[index] - of two kinds
    signed_in(page, str(name), role)


@pytest.fixture
def apart(new_page: NewPage, site: Site) -> Page:
    """A page of an admin whose websocket is the first replica's; all its other requests come to the second."""
    page = new_page(ignore_https_errors=True)
    page.context.add_cookies([{"name": "apart", "value": "1", "url": site.url}])
    sign_in(page, site, "ann", "")
    return page


def test_replicas_that_start_together_on_an_empty_database_work_and_know_each_other(site: Site) -> None:
    for replica in site.replicas:
        wait_until(replica.is_ready)
        for component in (
            "st_aggrid.AgGrid.agGrid",
            "w365.ui.frame.keyboard.keyboard",
        ):  # before any page is opened there
            assert replica.get(f"component/{component}/index.html").status_code == 200
    expected = [ProcessKind.APP] * 2 + [ProcessKind.WORKER] * 2
    wait_until(lambda: [seen.kind for seen in get_installation(site.service, local_user()).processes] == expected)


def test_whom_the_app_does_not_know_no_header_makes_known(site: Site) -> None:
    named = {"X-Forwarded-User": "cleo", "X-Forwarded-Groups": "admin"}
    assert site.replicas[0].get("api/rows", **named).status_code == 401


def test_two_people_work_through_tls_below_a_base_path_on_any_replica_and_one_leaves(
    new_page: NewPage, site: Site
) -> None:
    ann, bo = new_page(ignore_https_errors=True), new_page(ignore_https_errors=True)
    sign_in(ann, site, "ann", "provider_accounts?status=conflict&text=kestrel")
    sign_in(bo, site, "bo", "provider_accounts?status=conflict&text=kestrel")
    assert bo.url.startswith(f"{site.url}/provider_accounts?")
    cookies = ann.context.cookies(f"{site.url}/")
    assert {"__Secure-_streamlit_user", "__Secure-w365_browser"} <= {cookie["name"] for cookie in cookies}
    assert all(cookie["secure"] and cookie["path"] == BASE for cookie in cookies if "__" in cookie["name"])
    bo.get_by_role("button", name="Sign out").click()
    bo.get_by_role("button", name="Yes, sign me out").click()
    expect(bo.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    assert bo.url == f"{site.url}/"
    grid = Grid(ann, site.url, "status=conflict&text=kestrel")
    grid.choose("Kestrel 0", "osprey holding")
    expect(grid.cell("status", "Kestrel 0")).to_contain_text("Mapped")
    assert stored(site.service, "Kestrel 0").status is Status.MAPPED
    for _ in range(2):  # one link is the second's, one the first's
        ann.get_by_role("button", name="download").click()
        with ann.expect_download() as got:
            ann.get_by_role("dialog").get_by_role("link", name="Download CSV").click()
        assert got.value.suggested_filename.endswith(".csv")
        ann.keyboard.press("Escape")


def test_a_file_is_taken_in_handed_out_and_imported_whichever_replica_is_asked(apart: Page, site: Site) -> None:
    lines = b"Kundennummer;Firma;Domain;Land\nQ-1;Quay One;quay-one.de;DE\nQ-2;;quay-two.de;DE\n"
    go(apart, site.url, "import?provider=Harbour", "Import")
    with apart.expect_download() as template:
        apart.get_by_role("button", name="CSV template").click()
    assert b"Domain" in template.value.path().read_bytes()
    apart.locator("input[type=file]").set_input_files(
        files=[{"name": "customers.csv", "mimeType": "text/csv", "buffer": lines}]
    )
    expect(apart.get_by_text("2 lines: 1 new", exact=False)).to_be_visible()
    with apart.expect_download() as report:
        apart.get_by_role("button", name="Download error report").click()
    assert b"Firma" in report.value.path().read_bytes()
    apart.get_by_text("Leave out 1 line with errors").click()
    apart.get_by_role("button", name="Import 1 provider account").click()
    expect(apart.get_by_text("Harbour: 1 new", exact=False)).to_be_visible()
    assert [row.name for row in list_rows(site.service, local_user(), Filter(text="quay"))] == ["Quay One"]


def test_an_open_page_goes_on_while_the_replicas_are_restarted_one_after_the_other(apart: Page, site: Site) -> None:
    first, second = site.replicas
    Grid(apart, site.url, "status=conflict&text=kestrel")
    with apart.expect_websocket():
        first.stop()
    save(apart, site, "Kestrel 1")
    first.start()
    with apart.expect_websocket():
        second.stop()
    save(apart, site, "Kestrel 2")
    second.start()


def save(page: Page, site: Site, row: str) -> None:
    """Map a row in the grid as it stands there, without loading the page again."""
    page.wait_for_selector(SETTLED)
    grid = Grid.__new__(Grid)
    grid.page, grid.frame = page, page.frame_locator("iframe[title*=agGrid]")
    expect(grid.cell("name").first).to_be_visible()
    grid.choose(row, "osprey holding")
    expect(grid.cell("status", row)).to_contain_text("Mapped")
    assert stored(site.service, row).status is Status.MAPPED
