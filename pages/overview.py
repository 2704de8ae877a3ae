"""Answers: what needs me now."""

from w365.ui.overview import show_overview
from w365.ui.shell import page

with page("Overview") as desk:
    show_overview(desk)
