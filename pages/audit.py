"""Answers: how many of the automatic mappings are right."""

from w365.ui.frame.page_frame import open_page
from w365.ui.frame.pages import AUDIT

open_page(AUDIT)
