"""A browser, the demo's servers with a small world, and the real app in front of them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from app_process import running_app, wait_until_synced
from playwright.sync_api import Browser, Error, Page, Playwright, expect, sync_playwright
from small_world import small_world

from w365.config import DEMO_SERVED, load_settings
from w365.demo.servers import Servers, serve
from w365.service import Service
from w365.service.bootstrap import open_service

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-gpu-rasterization",
    "--disable-software-rasterizer",
]
expect.set_options(timeout=15_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """An installed Chromium or Chrome; else Playwright's own, installed now; else a failure that says so."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    opened = _launch(playwright, found)
    if opened is None and found is None:
        told = _install()
        opened = _launch(playwright, None)
        if opened is None:
            pytest.fail(
                f"The browser tests need Chromium or Chrome: none is on the PATH ({', '.join(NAMES)}), and "
                f"`playwright install chromium` did not bring one ({told}).",
                pytrace=False,
            )
    if opened is None:
        pytest.fail(f"The browser tests need Chromium or Chrome: {found} does not start.", pytrace=False)
    yield opened
    opened.close()


def _launch(playwright: Playwright, path: str | None) -> Browser | None:
    try:
        return playwright.chromium.launch(executable_path=path, args=QUIET)
    except Error:
        return None


def _install() -> str:
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    except subprocess.TimeoutExpired:
        return "it did not end within five minutes"
    return " ".join(done.stderr.split())[-200:] or f"status {done.returncode}"


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Partner Center, Dataverse and the token endpoint with the small world; tests may append faults."""
    with serve(small_world(), home=tmp_path_factory.mktemp("servers")) as running:
        yield running


@pytest.fixture(scope="session")
def app_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("app")


@pytest.fixture(scope="session")
def service(servers: Servers, app_home: Path) -> Service:
    """The app's own database, seen from the test."""
    settings = {"W365_HOME": str(app_home), DEMO_SERVED: "1", **servers.environment()}
    return open_service(load_settings(settings, app_home / "none.toml"))


@pytest.fixture(scope="session")
def app_url(servers: Servers, app_home: Path, service: Service) -> Iterator[str]:
    """The app on the small world, with the first syncs and their match done."""
    with running_app(app_home, {DEMO_SERVED: "1", **servers.environment()}) as url:
        wait_until_synced(service)
        yield url


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open pages in contexts of their own; an uncaught error of a page's scripts fails the test."""
    errors: list[str] = []
    contexts = []

    def opened(width: int = 1440, height: int = 900, scheme: str = "light", **options: Any) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
            timezone_id="Europe/Berlin",
            accept_downloads=True,
            reduced_motion="reduce",  # without a graphics card every moving thing is drawn by the processor
            **options,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not errors, f"uncaught errors in the page: {errors}"


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    return new_page()
