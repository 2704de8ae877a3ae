"""The record in a dialog, for pages that list something of a provider account and let a person decide it there."""

from __future__ import annotations

import streamlit as st

from w365.model import OPEN
from w365.service.reading.records import read_record
from w365.ui.deciding.record.panel import forget_shown, show_record
from w365.ui.deciding.record.words import say_settled
from w365.ui.frame.page_context import Desk
from w365.ui.frame.page_frame import toast_next_time, told
from w365.ui.frame.wording import plain, short


def open_record(desk: Desk, row: int, selection: str) -> None:
    """Show the record; once it is decided or left, what was chosen in the table `selection` is no longer."""
    record = read_record(desk.service, desk.actor, row)
    title = plain(short(record.row.name, 100)) or "Provider account"

    def leave() -> None:
        st.session_state.pop(selection, None)
        forget_shown()

    st.dialog(title, width="large", on_dismiss=leave)(_show)(desk, row, selection)


def _show(desk: Desk, row: int, selection: str) -> None:
    decided = None
    with told():
        decided = show_record(desk, read_record(desk.service, desk.actor, row))
    if decided is None:
        return
    if decided.row.status in OPEN:
        st.rerun(scope="fragment")
    st.session_state.pop(selection, None)
    forget_shown()
    toast_next_time(plain(say_settled(decided.row)))
    st.rerun()
