"""Answers: how does a new customer come to the provider, mapped to its account from the start."""

from w365.ui.frame.first_password import TITLE
from w365.ui.frame.page_frame import page
from w365.ui.onboarding.page import show_onboarding

with page(TITLE) as context:
    show_onboarding(context)
