"""Answers: how does matching decide."""

from w365.ui.configuration_page import show_configuration
from w365.ui.shell import page

with page("Configuration") as desk:
    show_configuration(desk)
