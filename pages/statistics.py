"""Answers: how good and how fast are we."""

from w365.ui.frame.page_frame import page
from w365.ui.insight.statistics import show_statistics

with page("Statistics") as context:
    show_statistics(context)
