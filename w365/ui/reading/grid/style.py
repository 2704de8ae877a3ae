"""How the grid, its bar and its lookup look. The component's frame defines the theme of the page as variables."""

from __future__ import annotations

import re

from w365.ui.frame.palette import status_colours
from w365.ui.reading.grid.script import FOLDER

Css = dict[str, dict[str, str]]

_TEXT, _GROUND, _ACCENT = "var(--text-color)", "var(--background-color)", "var(--primary-color)"
_VARIABLES = {
    "--w365-line": f"color-mix(in srgb, {_TEXT} 14%, {_GROUND})",
    "--w365-quiet": f"color-mix(in srgb, {_TEXT} 72%, {_GROUND})",
    "--w365-raised": f"color-mix(in srgb, {_TEXT} 4%, {_GROUND})",
    "--w365-font": "'Source Sans Pro', var(--font), sans-serif",
}

THEME_PARAMETERS: dict[str, str | int] = {
    "accentColor": _ACCENT,
    "backgroundColor": _GROUND,
    "foregroundColor": _TEXT,
    "borderColor": _VARIABLES["--w365-line"],
    "chromeBackgroundColor": _GROUND,
    "headerBackgroundColor": _VARIABLES["--w365-raised"],
    "headerTextColor": _VARIABLES["--w365-quiet"],
    "fontFamily": _VARIABLES["--w365-font"],
    "fontSize": 14,
    "headerFontSize": 13,
    "headerFontWeight": 600,
    "rowHeight": 36,
    "headerHeight": 36,
    "cellHorizontalPadding": 10,
    "wrapperBorderRadius": 8,
    "rowHoverColor": f"color-mix(in srgb, {_ACCENT} 6%, {_GROUND})",
}


def read_rules(sheet: str) -> Css:
    """Take a style sheet apart as the component wants it: what is declared, by selector."""
    rules = re.findall(r"([^{}]+)\{([^{}]*)\}", re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL))
    return {" ".join(selector.split()): dict(re.findall(r"([\w-]+): ([^;]+);", body)) for selector, body in rules}


SHEET = (FOLDER / "grid.css").read_text(encoding="utf-8")
_RULES = read_rules(SHEET)


def grid_style(scheme: str) -> Css:
    """Return the style for the light or dark scheme. Of two rules for one thing the later counts."""
    colours = {f"--w365-{status}": colour for status, colour in status_colours(dark=scheme == "dark").items()}
    return {":root": {"color-scheme": scheme, **_VARIABLES, **colours}, **_RULES}
