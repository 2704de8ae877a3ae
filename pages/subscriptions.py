"""Answers: what waits for a mapping."""

from w365.ui.frame.page_frame import page
from w365.ui.reading.subscriptions import show_subscriptions

with page("Subscriptions") as context:
    show_subscriptions(context)
