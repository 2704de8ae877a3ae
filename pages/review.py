"""Answers: who is this customer? One after another, by keyboard."""

from w365.ui.frame.page_frame import open_page
from w365.ui.frame.pages import REVIEW

open_page(REVIEW)
