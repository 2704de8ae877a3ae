"""Answers: what points to more than one place."""

from w365.ui.conflicts_page import show_conflicts
from w365.ui.shell import page

with page("Conflicts") as desk:
    show_conflicts(desk)
