"""Answers: how does what stands in a file come in."""

from w365.model import Role
from w365.ui.import_page import show_import
from w365.ui.shell import page

with page("Import", role=Role.ANALYST) as desk:
    show_import(desk)
