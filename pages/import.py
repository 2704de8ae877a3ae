"""Answers: how does what stands in a file come in."""

from w365.model import Role
from w365.ui.frame.page_frame import page
from w365.ui.importing.page import show_import

with page("Import", role=Role.ANALYST) as context:
    show_import(context)
