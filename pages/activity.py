"""Answers: who did what."""

from w365.ui.frame.page_frame import page
from w365.ui.insight.activity import show_activity

with page("Activity") as context:
    show_activity(context)
