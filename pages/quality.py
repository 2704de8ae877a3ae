"""Answers: what in the data to mend so that more can be matched."""

from w365.ui.frame.page_frame import page
from w365.ui.insight.quality import show_quality

with page("Data quality") as context:
    show_quality(context)
