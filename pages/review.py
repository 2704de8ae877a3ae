"""Answers: who is this customer? One after another, by keyboard."""

from w365.ui.deciding.review.page import show_review
from w365.ui.frame.page_frame import page

with page("Review") as context:
    show_review(context)
