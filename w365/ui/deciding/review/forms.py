"""What stands in the place of the Review page's keys while one is asked: a reason, or for help."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from w365.service.reading.records import Record
from w365.ui.deciding.review.session import REASONS, Review

_DAYS = 7
_HELP = (
    ("A", "Accept the first candidate"),
    ("1 2 3", "Accept that candidate"),
    ("X", "Not this: reject the first candidate"),
    ("N", "Next, without a decision"),
    ("P", "Park with a reason until a day"),
    ("E", "Exclude with a reason"),
    ("L", "Look another account up; Escape leaves the field, Tab goes to what was found"),
    ("O", "Open the first candidate in the CRM, where its address is known"),
    ("Z", "Take back your last decision here"),
    ("? Esc", "Show or hide this"),
)


def show_set_aside(review: Review, record: Record) -> None:
    """Ask for the reason, and for the day where the row is parked; Enter saves, Escape leaves."""
    is_park = review.form == "park"
    key = f"review-{review.form}-{record.row.id}-{record.row.version}"

    def save() -> None:
        state = st.session_state
        review.set_aside(record, state[f"{key}-reason"] or "", state.get(f"{key}-until"))

    with st.form(key, border=True), st.container(horizontal=True, vertical_alignment="bottom"):
        usual = review.reasons.get(review.form, "Later" if is_park else "")
        st.text_input(REASONS[review.form], usual, max_chars=500, key=f"{key}-reason")
        if is_park:
            _ask_day(review, f"{key}-until")
        st.form_submit_button("Park" if is_park else "Exclude", type="primary", on_click=save)
        st.form_submit_button("Cancel", key="review-cancel", on_click=review.open_form, args=(review.form,))


def _ask_day(review: Review, key: str) -> None:
    today = review.context.service.clock().date()
    week = today + dt.timedelta(days=_DAYS)
    st.date_input(
        "Open again on", week, min_value=today + dt.timedelta(days=1), key=key, width=170, format="YYYY-MM-DD"
    )


def show_help(review: Review) -> None:
    with st.container(border=True):
        st.markdown("  \n".join(f"**{keys}** · {does}" for keys, does in _HELP))
        with st.container(horizontal=True):
            st.button("Close", key="review-cancel", on_click=review.open_form, args=("help",))
