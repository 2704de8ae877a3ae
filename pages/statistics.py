"""Answers: how good and how fast are we."""

from w365.ui.frame.page_frame import open_page
from w365.ui.frame.pages import STATISTICS

open_page(STATISTICS)
