"""Answers: how does a new customer come to the provider, mapped to its account from the start."""

from w365.ui.frame.page_frame import open_page
from w365.ui.frame.pages import ONBOARDING

open_page(ONBOARDING)
