"""Answers: how does what stands in a file come in."""

from w365.ui.frame.page_frame import open_page
from w365.ui.frame.pages import IMPORT

open_page(IMPORT)
