"""Answers: how good and how fast are we."""

from w365.ui.shell import page
from w365.ui.statistics_page import show_statistics

with page("Statistics") as desk:
    show_statistics(desk)
