"""The record in a dialog, for pages that list something of a provider account and let a person decide it there."""

from __future__ import annotations

import streamlit as st

from w365.matching.words import STATUS_WORDS
from w365.model import OPEN
from w365.service.records import read_record
from w365.ui.desk import Desk
from w365.ui.record import show_record
from w365.ui.shell import told
from w365.ui.wording import plain, short


def open_record(desk: Desk, row: int, selection: str) -> None:
    """Show the record; once it is decided or left, what was chosen in the table `selection` is no longer."""
    record = read_record(desk.service, desk.actor, row)
    title = plain(short(record.row.name, 100)) or "Provider account"

    def leave() -> None:
        st.session_state.pop(selection, None)

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
    st.toast(plain(f"{decided.row.name}: {STATUS_WORDS[decided.row.status]} {decided.row.account_name}"))
    st.rerun()
