"""Answers: what belongs to one account of the CRM."""

from w365.ui.frame.page_frame import page
from w365.ui.reading.crm_account import show_account

with page("CRM account") as context:
    show_account(context)
