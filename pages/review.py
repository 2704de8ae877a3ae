"""Answers: who is this customer? One after another, by keyboard."""

from w365.ui.review_page import show_review
from w365.ui.shell import page

with page("Review") as desk:
    show_review(desk)
