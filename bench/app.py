"""How soon is the first page there, how long does the grid take, and how much memory do app and worker need?

    python -m bench.app [--data FOLDER]

Starts `streamlit run app.py` in an empty data folder and drives it in Chromium: on the built-in demo, or on the demo's
servers for a data folder. Memory is the proportional set size of the app and its worker, the demo's servers apart,
after the first sync and match. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path

import psutil
from playwright.sync_api import Page, sync_playwright

from bench.sync import demo

ROOT = Path(__file__).parents[1]
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync")
LOADED_SECONDS = 120


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        servers = demo(Path(name), options.data) if options.data else nullcontext({})
        with servers as environment, browser_page() as page:
            begin = time.perf_counter()
            with app(Path(name), environment) as (process, url):
                answer = measure(page, url, begin, process, needs_sync=bool(environment))
    print(json.dumps(answer, indent=1))


def measure(page: Page, url: str, begin: float, process: psutil.Process, *, needs_sync: bool) -> dict[str, float]:
    wait_for(url)
    page.goto(url)
    page.get_by_role("heading", name="Overview").wait_for()
    found = {"first_page_seconds": round(time.perf_counter() - begin, 2)}
    if needs_sync:
        _sync_in_app(page, url, process)
    page.get_by_text("need a decision").first.wait_for(timeout=LOADED_SECONDS * 1000)
    time.sleep(20)
    begin = time.perf_counter()
    page.goto(f"{url}/provider_accounts?status=all")
    page.frame_locator("iframe").first.locator(".ag-row").first.wait_for(timeout=30_000)
    found["grid_seconds"] = round(time.perf_counter() - begin, 2)
    for name in ("statistics", "activity", "providers", "configuration"):
        page.goto(f"{url}/{name}")
        page.wait_for_timeout(2_000)
    family = [process, *process.children(recursive=True)]
    counted = [one for one in family if "w365.demo" not in one.cmdline()]
    found |= {f"pss_mib {one.pid} {' '.join(one.cmdline()[1:4])}": pss(one) for one in counted}
    found["pss_mib"] = round(sum(pss(one) for one in counted), 1)
    return found


def _sync_in_app(page: Page, url: str, process: psutil.Process) -> None:
    """Let the app's own worker sync and match, as a person would."""
    switch_on = [sys.executable, "-m", "w365", "config", "set", "auto_match", "true"]
    subprocess.run(switch_on, check=True, env=process.environ(), cwd=ROOT, stdout=sys.stderr)
    for button in ("Sync CRM", "Sync provider accounts"):
        page.goto(f"{url}/providers")
        page.get_by_role("button", name=button).first.click()
        page.wait_for_timeout(2_000)
    page.wait_for_timeout(LOADED_SECONDS * 500)
    page.goto(url)


def pss(process: psutil.Process) -> float:
    return round(process.memory_full_info().pss / 2**20, 1)


@contextmanager
def app(home: Path, environment: Mapping[str, str]) -> Iterator[tuple[psutil.Process, str]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {name: value for name, value in os.environ.items() if not name.startswith("W365_")}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    everything = {**own, **environment, "W365_HOME": str(home)}
    with subprocess.Popen(command, cwd=ROOT, env=everything, stdout=subprocess.DEVNULL) as process:
        try:
            yield psutil.Process(process.pid), f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@contextmanager
def browser_page() -> Iterator[Page]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser.new_page(viewport={"width": 1440, "height": 900})
        browser.close()


def wait_for(url: str) -> None:
    host, port = url.removeprefix("http://").split(":")
    while True:
        with socket.socket() as client:
            if client.connect_ex((host, int(port))) == 0:
                return
        time.sleep(0.02)


if __name__ == "__main__":
    main()
