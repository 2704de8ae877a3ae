"""Answers: where does the data come from."""

from w365.ui.providers_page import show_providers
from w365.ui.shell import page

with page("Providers") as desk:
    show_providers(desk)
