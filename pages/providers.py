"""Answers: where does the data come from."""

from w365.ui.frame.page_frame import open_page
from w365.ui.frame.pages import PROVIDERS

open_page(PROVIDERS)
