"""Answers: what waits for a mapping."""

from w365.ui.frame.page_frame import open_page
from w365.ui.frame.pages import SUBSCRIPTIONS

open_page(SUBSCRIPTIONS)
