"""A team behind a real nginx with TLS that signs people in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from app_process import free_port, running_app, wait_until_synced
from driving import Grid, signed_in, stored
from nginx import SIGNED_IN_BY_PROXY, nginx, server
from playwright.sync_api import Page, expect
from small_world import small_world

from w365.config import DEMO_SERVED, load_settings
from w365.demo.servers import Servers, serve
from w365.model import Status
from w365.service import Service
from w365.service.access import local_user
from w365.service.bootstrap import open_service
from w365.service.people.roles import list_people

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
def by_proxy(servers: Servers, folder: Path) -> Iterator[Site]:
    port, own = free_port(), free_port()
    url, app = f"https://localhost:{port}", f"http://127.0.0.1:{own}"
    home = folder / "by-proxy"
    proxied = {"W365_SIGN_IN": "proxy", "W365_PUBLIC_URL": url, "W365_TRUSTED_PROXIES": "127.0.0.1"}
    settings = {"W365_HOME": str(home), **proxied, DEMO_SERVED: "1", **servers.environment()}
    service = open_service(load_settings(settings, home / "none.toml"))
    with (
        nginx(folder, [port], server(SIGNED_IN_BY_PROXY, port, app, folder), GROUPS),
        running_app(home, settings, own),
    ):
        wait_until_synced(service)
        yield Site(url, app, service)


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


def test_past_the_proxy_nobody_is_believed(by_proxy: Site) -> None:
    """Another machine is another address: here one of this machine that is not the trusted one."""
    named = [("X-Forwarded-User", "cleo"), ("X-Forwarded-Groups", "admin")]
    with httpx.Client(transport=httpx.HTTPTransport(local_address="127.0.0.2")) as elsewhere:
        past = elsewhere.get(by_proxy.app, headers=named)
        assert (past.status_code, "answers through its proxy only" in past.text) == (403, True)
    with httpx.Client(trust_env=False) as here:
        assert here.get(by_proxy.app, headers=[*named, ("X-Forwarded-User", "root")]).status_code == 400
