"""How an admin's change on the People page is asked about, carried out and told."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from w365.ui.frame.page_frame import say_next_time, show_refusals
from w365.ui.frame.wording import plain


def ask_first(title: str, told: str, label: str, change: Callable[[], str]) -> None:
    """Carry out a change once a dialog that tells of it is confirmed; it gives the sentence that is shown then."""
    st.dialog(title)(_confirm)(told, label, change)


def _confirm(told: str, label: str, change: Callable[[], str]) -> None:
    st.markdown(told)
    if st.button(label, type="primary", key="confirm-person"):
        carry_out(change)


def carry_out(change: Callable[[], str]) -> None:
    with show_refusals():
        say_next_time(plain(change()))
        st.rerun()
