"""Answers: where does the data come from."""

from w365.ui.frame.page_frame import page
from w365.ui.syncing.page import show_providers

with page("Providers") as context:
    show_providers(context)
