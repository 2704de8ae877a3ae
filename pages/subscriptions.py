"""Answers: what waits for a mapping."""

from w365.ui.shell import page
from w365.ui.subscriptions_page import show_subscriptions

with page("Subscriptions") as desk:
    show_subscriptions(desk)
