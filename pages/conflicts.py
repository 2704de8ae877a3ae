"""Answers: what points to more than one place."""

from w365.ui.frame.page_frame import open_page
from w365.ui.frame.pages import CONFLICTS

open_page(CONFLICTS)
