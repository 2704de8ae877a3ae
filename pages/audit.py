"""Answers: how many of the automatic mappings are right."""

from w365.ui.audit_page import show_audit
from w365.ui.shell import page

with page("Sample audit") as desk:
    show_audit(desk)
