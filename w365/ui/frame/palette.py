"""The colours of the statuses, the same in charts, badges and the grid. Each has 4.5 : 1 on its theme's ground."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

import streamlit as st

from w365.model import Status

BadgeColour = Literal["green", "orange", "red", "gray", "violet"]

BADGES: Mapping[Status, BadgeColour] = {
    Status.MAPPED: "green",
    Status.CONFLICT: "orange",
    Status.UNMAPPED: "red",
    Status.PARKED: "violet",
    Status.EXCLUDED: "gray",
}
_LIGHT: Mapping[Status, str] = {
    Status.MAPPED: "#1b7f3b",
    Status.CONFLICT: "#b45309",
    Status.UNMAPPED: "#b42318",
    Status.PARKED: "#6d4fc2",
    Status.EXCLUDED: "#5b6b79",
}
_DARK: Mapping[Status, str] = {
    Status.MAPPED: "#4cc38a",
    Status.CONFLICT: "#f0a340",
    Status.UNMAPPED: "#f2705f",
    Status.PARKED: "#a78bfa",
    Status.EXCLUDED: "#9aa9b5",
}
DARK_STYLE = (
    "<style>[data-testid='stBaseButton-primary'], [data-testid='stBaseButton-primaryFormSubmit'],"
    " [data-testid='stBaseLinkButton-primary'] {color: #04141a;}</style>"
)
"""For dark pages: Streamlit writes white on every primary button, 3.1 : 1 on the light blue that dark pages need."""

WIDE = """<style>
[data-testid="stMainBlockContainer"] { padding-left: 2rem; padding-right: 2rem; padding-bottom: 1rem; }
.st-key-keyboard { position: fixed; top: 0; left: 0; width: 0; height: 0; overflow: hidden; }
</style>"""
"""For pages that need the whole width of the window; the frame that listens to keys takes no place."""

_TILES = """<style>
.st-key-{key} [data-testid="stHorizontalBlock"] {{ flex-wrap: wrap; }}
.st-key-{key} [data-testid="stColumn"] {{ min-width: {width}rem; }}
</style>"""


@contextmanager
def tiles(key: str = "tiles", width: float = 13.5) -> Iterator[None]:
    """Lay columns below each other where the window leaves them less than this width, instead of cutting them off."""
    with st.container(key=key):
        st.html(_TILES.format(key=key, width=width))
        yield


_PEOPLE = {
    False: ("#0b6a86", "#b45309", "#6d4fc2", "#1b7f3b", "#b42318", "#5b6b79"),
    True: ("#3a9dbb", "#f0a340", "#a78bfa", "#4cc38a", "#f2705f", "#9aa9b5"),
}

_PRIMARY = {False: "#0b6a86", True: "#3a9dbb"}


def is_dark() -> bool:
    return st.context.theme.type == "dark"


def status_colours(*, dark: bool) -> Mapping[Status, str]:
    return _DARK if dark else _LIGHT


def primary_colour(*, dark: bool) -> str:
    return _PRIMARY[dark]


def people_colours(*, dark: bool) -> tuple[str, ...]:
    """Colours that tell six people apart."""
    return _PEOPLE[dark]
