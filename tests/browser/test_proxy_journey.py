"""A team behind a real nginx with TLS: signed in by the app, below a base path, or by the proxy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from app_process import free_port, running_app, wait_until_synced
from driving import Grid, stored
from identity_provider import give_login, identity_provider
from nginx import SIGNED_IN_BY_APP, SIGNED_IN_BY_PROXY, nginx, server
from playwright.sync_api import Page, expect
from small_world import small_world

from w365.config import DEMO_SERVED, load_settings
from w365.demo.servers import Servers, serve
from w365.model import Status
from w365.service import Service
from w365.service.access import local_user
from w365.service.bootstrap import open_service
from w365.service.people.roles import list_people

PEOPLE = {"ann": {"name": "Ann Lee", "roles": ["admin"]}, "bo": {"name": "Bo Ray", "roles": ["viewer"]}}
GROUPS = {"cleo": "analyst", "dan": "viewer"}
NewPage = Callable[..., Page]


@dataclass(frozen=True)
class Site:
    """``url`` is nginx's, ``app`` the app's own address behind it."""

    url: str
    app: str
    service: Service


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("proxy")


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Of this module alone: what other journeys did to the small world is not in them."""
    with serve(small_world(), home=tmp_path_factory.mktemp("servers")) as running:
        yield running


@pytest.fixture(scope="module")
def sites(servers: Servers, folder: Path) -> Iterator[tuple[Site, Site]]:
    """The app that signs people in below a base path, and the one that the proxy does it for."""
    ports = [free_port() for _ in range(4)]
    urls = [f"https://localhost:{ports[0]}/w365", f"https://localhost:{ports[1]}"]
    apps = [f"http://127.0.0.1:{port}" for port in ports[2:]]
    further = {DEMO_SERVED: "1", **servers.environment()}
    proxied = {"W365_SIGN_IN": "proxy", "W365_PUBLIC_URL": urls[1], "W365_TRUSTED_PROXIES": "127.0.0.1"}
    configuration = server(SIGNED_IN_BY_APP, ports[0], apps[0], folder) + server(
        SIGNED_IN_BY_PROXY, ports[1], apps[1], folder
    )
    with (
        identity_provider(folder, urls[0], PEOPLE) as provider,
        nginx(folder, ports[:2], configuration, GROUPS),
        _site(folder / "own", {**provider.settings(urls[0]), **further}, ports[2], "/w365") as own,
        _site(folder / "by-proxy", {**proxied, **further}, ports[3]) as by_proxy,
    ):
        yield Site(urls[0], apps[0], own), Site(urls[1], apps[1], by_proxy)


@contextmanager
def _site(home: Path, settings: Mapping[str, str], port: int, base: str = "") -> Iterator[Service]:
    own = {"W365_HOME": str(home), **settings}
    service = open_service(load_settings(own, home / "none.toml"))
    with running_app(home, own, port, base):
        wait_until_synced(service)
        yield service


@pytest.fixture
def own(sites: tuple[Site, Site]) -> Site:
    return sites[0]


@pytest.fixture
def by_proxy(sites: tuple[Site, Site]) -> Site:
    return sites[1]


def signed_in(page: Page, name: str, role: str) -> None:
    expect(page.get_by_test_id("stSidebar").get_by_text(f"Signed in as {name} · {role}")).to_be_visible()


def test_two_people_work_through_tls_below_a_base_path_and_one_leaves(new_page: NewPage, own: Site) -> None:
    ann, bo = new_page(ignore_https_errors=True), new_page(ignore_https_errors=True)
    for page, login in ((ann, "ann"), (bo, "bo")):
        page.goto(f"{own.url}/provider_accounts?status=unmapped&text=osprey")
        page.get_by_role("button", name="Sign in", exact=True).click()
        give_login(page, login)
    signed_in(ann, "Ann Lee", "admin")
    signed_in(bo, "Bo Ray", "viewer")
    assert bo.url.startswith(f"{own.url}/provider_accounts?")
    cookies = ann.context.cookies(f"{own.url}/")
    assert {"__Secure-_streamlit_user", "__Secure-w365_browser"} <= {cookie["name"] for cookie in cookies}
    assert all(cookie["secure"] and cookie["path"] == "/w365" for cookie in cookies if "__" in cookie["name"])
    bo.get_by_role("button", name="Sign out").click()
    bo.get_by_role("button", name="Yes, sign me out").click()
    expect(bo.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    assert bo.url == f"{own.url}/"
    grid = Grid(ann, own.url, "status=unmapped&text=osprey")
    grid.choose("Osprey 02", "kestrel 02")
    expect(grid.cell("status", "Osprey 02")).to_contain_text("Mapped")
    assert stored(own.service, "Osprey 02").status is Status.MAPPED
    ann.get_by_role("button", name="download").click()
    with ann.expect_download() as got:
        ann.get_by_role("dialog").get_by_role("link", name="Download CSV").click()
    assert got.value.suggested_filename.endswith(".csv")


def test_the_proxy_says_who_somebody_is_and_no_browser_can(new_page: NewPage, by_proxy: Site) -> None:
    forged = {"X-Forwarded-User": "root", "X-Forwarded-Groups": "admin", "X-Forwarded-Preferred-Username": "Root"}
    cleo, dan = (
        new_page(
            ignore_https_errors=True,
            http_credentials={"username": name, "password": name},
            extra_http_headers=forged,
        )
        for name in GROUPS
    )
    grid = Grid(cleo, by_proxy.url, "status=unmapped&text=osprey")
    signed_in(cleo, "cleo", "analyst")
    dan.goto(by_proxy.url)
    signed_in(dan, "dan", "viewer")
    grid.choose("Osprey 03", "kestrel 03")
    expect(grid.cell("status", "Osprey 03")).to_contain_text("Mapped")
    assert stored(by_proxy.service, "Osprey 03").status is Status.MAPPED
    assert {"cleo", "dan"} == {view.person.name for view in list_people(by_proxy.service, local_user())}
    cleo.get_by_role("button", name="Sign out").click()
    expect(cleo.get_by_text("You are signed out.")).to_be_visible()
    dan.get_by_role("link", name="Review", exact=True).click()
    signed_in(dan, "dan", "viewer")


def test_past_the_proxy_nobody_is_believed(own: Site, by_proxy: Site) -> None:
    """Another machine is another address: here one of this machine that is not the trusted one."""
    named = [("X-Forwarded-User", "cleo"), ("X-Forwarded-Groups", "admin")]
    with httpx.Client(transport=httpx.HTTPTransport(local_address="127.0.0.2")) as elsewhere:
        past = elsewhere.get(by_proxy.app, headers=named)
        assert (past.status_code, "answers through its proxy only" in past.text) == (403, True)
    with httpx.Client(trust_env=False) as here:
        assert here.get(by_proxy.app, headers=[*named, ("X-Forwarded-User", "root")]).status_code == 400
        assert here.get(f"{own.app}/w365/api/rows", headers=named).status_code == 401
