"""Answers: what points to more than one place."""

from w365.ui.deciding.conflicts.page import show_conflicts
from w365.ui.frame.page_frame import page

with page("Conflicts") as context:
    show_conflicts(context)
