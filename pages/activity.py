"""Answers: who did what."""

from w365.ui.frame.page_frame import open_page
from w365.ui.frame.pages import ACTIVITY

open_page(ACTIVITY)
