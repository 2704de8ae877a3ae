"""Answers: how does matching decide."""

from w365.ui.frame.page_frame import open_page
from w365.ui.frame.pages import CONFIGURATION

open_page(CONFIGURATION)
