"""Answers: what belongs to one account of the CRM."""

from w365.ui.account_page import show_account
from w365.ui.shell import page

with page("CRM account") as desk:
    show_account(desk)
