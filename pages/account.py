"""Answers: what belongs to one account of the CRM."""

from w365.ui.frame.page_frame import open_page
from w365.ui.frame.pages import ACCOUNT

open_page(ACCOUNT)
