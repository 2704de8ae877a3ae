"""Answers: how many of the automatic mappings are right."""

from w365.ui.auditing.page import show_audit
from w365.ui.frame.page_frame import page

with page("Sample audit") as context:
    show_audit(context)
