"""How quickly does one decide by keyboard?

    python -m bench.review http://127.0.0.1:8501 [--rows 30] [--look 0.5]

Walks the Review page of a running app in Chromium: accepts the first candidate, or goes on where there is none, each
time after looking for `--look` seconds; then takes everything back. Prints JSON: keystrokes a decision, and the seconds
from the key until the next row can be read.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import time

from playwright.sync_api import Page, sync_playwright

from bench.app import FLAGS

_ROW = ".st-key-review-row h3"
_SETTLED = "[data-testid=stApp][data-test-script-state=notRunning]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address")
    parser.add_argument("--rows", type=int, default=30)
    parser.add_argument("--look", type=float, default=0.5)
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{options.address}/review")
        page.wait_for_selector(_ROW)
        print(json.dumps(walk(page, options.rows, options.look), indent=1))
        browser.close()


def walk(page: Page, rows: int, look: float) -> dict[str, float]:
    waits, keys, decided = [], 0, 0
    accept = page.get_by_role("button", name="Accept first")
    for _ in range(rows):
        time.sleep(look)
        key = "a" if accept.is_enabled() else "n"
        before, begin = page.locator(_ROW).inner_text(), time.perf_counter()
        page.keyboard.press(key)
        page.wait_for_function("([at, was]) => document.querySelector(at)?.innerText !== was", arg=[_ROW, before])
        waits.append(time.perf_counter() - begin)
        page.wait_for_selector(_SETTLED)
        keys, decided = keys + 1, decided + (key == "a")
    take_back(page, decided)
    waits.sort()
    return {
        "rows": rows,
        "decided": decided,
        "keystrokes_a_row": keys / rows,
        "median_seconds": round(statistics.median(waits), 3),
        "p95_seconds": round(waits[int(len(waits) * 0.95)], 3),
        "slowest_seconds": round(waits[-1], 3),
    }


def take_back(page: Page, decisions: int) -> None:
    for _ in range(decisions):
        page.keyboard.press("z")
        time.sleep(0.3)
        page.wait_for_selector(_SETTLED)


if __name__ == "__main__":
    main()
