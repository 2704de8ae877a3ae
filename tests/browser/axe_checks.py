"""What axe finds on a page or in a frame. What Streamlit itself does wrong is listed by name, with the reason."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Frame, Page

_OPTIONS = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
STREAMLITS_OWN = {
    "list": "the navigation puts its headings and groups straight into one <ul>",
    "listitem": "likewise: its <li> stand in a <div>",
}
"""Found in Streamlit's own navigation, and excused there only."""

_OUTSIDE_NAVIGATION = "selector => !document.querySelector(selector)?.closest('[data-testid=stSidebarNav]')"


def violations(where: Page | Frame, part: str = "") -> list[tuple[str, str]]:
    """Give the rule and the markup of what is ours to mend, in a part of the page if one is named."""
    found = Axe().run(where, context=part or None, options=_OPTIONS).response["violations"]
    nodes = [(one["id"], node) for one in found for node in one["nodes"]]
    return [(rule, node["html"][:200]) for rule, node in nodes if _is_ours(where, rule, node)]


def _is_ours(where: Page | Frame, rule: str, node: dict[str, Any]) -> bool:
    if rule not in STREAMLITS_OWN or len(node["target"]) > 1:
        return True
    return bool(where.evaluate(_OUTSIDE_NAVIGATION, node["target"][0]))
