"""Pictures of every page, to be looked at; and those of the documentation.

    python -m bench.pictures FOLDER [--url URL] [--pages overview review …]
    python -m bench.pictures --docs

Starts the demo unless an app is named, and takes each page in light and dark at 1440, 1024 and 390 pixels; with
`--docs` those that the documentation shows, at 1440, into docs/pictures. Prints what a page wrote into the browser's
console, and each that scrolls sideways.
"""

from __future__ import annotations

import argparse
import base64
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from bench.app import FLAGS, ROOT, app, wait_for
from w365.ui.frame.pages import PAGES

WIDTHS = {1440: 900, 1024: 768, 390: 844}
THEMES = ("light", "dark")
DOCS = ROOT / "docs" / "pictures"
SHOWN = ("overview", "review", "provider_accounts", "conflicts", "statistics", "providers", "configuration")
"""The pages that the documentation shows."""
SETTLED_MS = 2_500
LOADED_MS = 120_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [page.place for page in PAGES]
    parser.add_argument("folder", type=Path, nargs="?", default=DOCS)
    parser.add_argument("--url")
    parser.add_argument("--pages", nargs="+", choices=names, default=names)
    parser.add_argument("--docs", action="store_true")
    options = parser.parse_args()
    if options.docs == (options.folder != DOCS):
        parser.error("name a folder, or --docs")
    pages, widths = (SHOWN, (1440,)) if options.docs else (options.pages, tuple(WIDTHS))
    options.folder.mkdir(parents=True, exist_ok=True)
    with furnished(options.url) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        for width, theme in product(widths, THEMES):
            take_pictures(browser, url, pages, options.folder, width, theme)
        browser.close()


def find_chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("google-chrome")


@contextmanager
def furnished(url: str | None) -> Iterator[str]:
    """The address of the named app, or of one with the demo after its first syncs."""
    if url:
        yield url
        return
    with tempfile.TemporaryDirectory() as home, app(Path(home), {}) as (_, own):
        wait_for(own)
        with sync_playwright() as playwright:
            page = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS)).new_page()
            while not is_matched(page, own):
                page.wait_for_timeout(SETTLED_MS)
        yield own


def is_matched(page: Page, url: str) -> bool:
    """Tell whether the demo's first syncs and the match after them are done."""
    page.goto(url)
    page.get_by_text("need a decision").first.wait_for(timeout=LOADED_MS)
    page.wait_for_timeout(SETTLED_MS)
    text = page.locator("[data-testid=stMain]").inner_text()
    return not any(word in text for word in ("syncing now", "matching", "To do", "0 of "))


def take_pictures(browser: Browser, url: str, pages: Sequence[str], folder: Path, width: int, theme: str) -> None:
    size = {"width": width, "height": WIDTHS[width]}
    context = browser.new_context(viewport=size, color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
    for name in pages:
        page = context.new_page()
        page.on("console", lambda message, name=name: tell(name, message.type, message.text))  # type: ignore[misc]
        page.goto(f"{url}/{'' if name == PAGES[0].place else name}")
        page.get_by_role("heading", level=1).wait_for(timeout=LOADED_MS)
        page.wait_for_timeout(SETTLED_MS)
        for frame in page.frames:
            if frame.locator(".ag-root").count():
                frame.locator(".ag-cell").filter(has_text=re.compile(r"\S")).first.wait_for(timeout=LOADED_MS)
        if page.evaluate("document.scrollingElement.scrollWidth > innerWidth"):
            print(f"{name} scrolls sideways at {width}")
        place = folder / (f"{name}-{theme}.webp" if folder == DOCS else f"{name}-{width}-{theme}.webp")
        place.write_bytes(photograph(page))
        page.close()
    context.close()


def photograph(page: Page) -> bytes:
    session = page.context.new_cdp_session(page)
    return base64.b64decode(session.send("Page.captureScreenshot", {"format": "webp", "quality": 82})["data"])


def tell(name: str, kind: str, text: str) -> None:
    if kind in ("error", "warning"):
        print(f"{name}: {kind}: {text[:200]}", file=sys.stderr)


if __name__ == "__main__":
    main()
