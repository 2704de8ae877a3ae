"""Answers: what in the data to mend so that more can be matched."""

from w365.ui.frame.page_frame import open_page
from w365.ui.frame.pages import QUALITY

open_page(QUALITY)
