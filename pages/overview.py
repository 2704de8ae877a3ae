"""Answers: what needs me now."""

from w365.ui.frame.page_frame import open_page
from w365.ui.frame.pages import OVERVIEW

open_page(OVERVIEW)
