"""Answers: who gets in, and who did what about that."""

from w365.ui.frame.page_frame import open_page
from w365.ui.frame.pages import PEOPLE

open_page(PEOPLE)
