"""The record's switch: whether syncs keep this row up to date."""

from __future__ import annotations

import streamlit as st

from w365.service.deciding import mapping
from w365.ui.deciding.record.decide import Decider


def show_sync(decider: Decider) -> None:
    """Switch the sync of this row off and on. A row that is off says so to everybody."""
    is_on = decider.record.row.is_synced
    if not is_on:
        st.warning("**The sync of this row is switched off.** What the provider changes is not taken over.")
    if not decider.may:
        return
    chosen = st.toggle(
        "Keep this row up to date with the provider",
        value=is_on,
        key=decider.key("sync"),
        help="Switched off, syncs and imports leave the row as it is: neither changed nor taken for gone.",
    )
    if chosen != is_on:
        decider.decide(lambda seen: mapping.switch_sync(*decider.whose, on=chosen, seen=seen))
