"""Answers: who did what."""

from w365.ui.activity_page import show_activity
from w365.ui.shell import page

with page("Activity") as desk:
    show_activity(desk)
