"""Answers: how does a new customer come to the provider, mapped to its account from the start."""

from w365.ui.first_password import TITLE
from w365.ui.onboarding_page import show_onboarding
from w365.ui.shell import page

with page(TITLE) as desk:
    show_onboarding(desk)
