"""Answers: what in the data to mend so that more can be matched."""

from w365.ui.quality_page import show_quality
from w365.ui.shell import page

with page("Data quality") as desk:
    show_quality(desk)
