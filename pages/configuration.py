"""Answers: how does matching decide."""

from w365.ui.configuring.page import show_configuration
from w365.ui.frame.page_frame import page

with page("Configuration") as context:
    show_configuration(context)
