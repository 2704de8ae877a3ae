"""Answers: what needs me now."""

from w365.ui.frame.page_frame import page
from w365.ui.insight.overview import show_overview

with page("Overview") as context:
    show_overview(context)
