"""The record in a dialog, for pages that list something of a provider account and let a person decide it there."""

from __future__ import annotations

import streamlit as st

from w365.model import OPEN
from w365.service.reading.records import read_record, read_row
from w365.ui.deciding.record.panel import forget_shown, show_record
from w365.ui.deciding.record.words import say_settled
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import report_errors, toast_next_time
from w365.ui.frame.wording import plain, short


def open_record(context: PageContext, row: int, selection: str) -> None:
    """Show the record; once it is decided or left, what was chosen in the table `selection` is no longer."""
    title = plain(short(read_row(context.service, context.actor, row).name, 100)) or "Provider account"

    def leave() -> None:
        st.session_state.pop(selection, None)
        forget_shown()

    st.dialog(title, width="large", on_dismiss=leave)(_show)(context, row, selection)


def _show(context: PageContext, row: int, selection: str) -> None:
    decided = None
    with report_errors():
        decided = show_record(context, read_record(context.service, context.actor, row))
    if decided is None:
        return
    if decided.row.status in OPEN:
        st.rerun(scope="fragment")
    st.session_state.pop(selection, None)
    forget_shown()
    toast_next_time(plain(say_settled(decided.row)))
    st.rerun()
