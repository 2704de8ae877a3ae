"""The fields of a row of a manual provider, for a new one and for one that is edited in its record."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from w365.service.deciding.mapping import Decided
from w365.service.reading.records import read_row
from w365.service.syncing.manual_entry import read_entry, save_entry
from w365.service.syncing.manual_rows import FIELDS, SPECIFIC_ID
from w365.ui.deciding.record.decide import Decider
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import say_next_time, show_refusals
from w365.ui.frame.wording import plain


def offer_new_row(context: PageContext, provider_id: int) -> None:
    """Offer to add a row; what was typed stays until it could be saved."""
    with st.popover("Add provider account"), st.form(f"row-{provider_id}", border=False):
        texts = _ask({}, f"row-{provider_id}-{st.session_state.get(_DONE, 0)}")
        if not st.form_submit_button("Add", type="primary"):
            return
        with show_refusals():
            save_entry(context.service, context.actor, provider_id, texts, is_new=True)
            st.session_state[_DONE] = st.session_state.get(_DONE, 0) + 1
            say_next_time(f"{plain(texts['name'])} was saved; the next match looks at it.")
            st.rerun()


def show_entry(decider: Decider) -> None:
    """Offer to edit a row that was entered by hand."""
    if not decider.may:
        return
    entry = read_entry(*decider.whose)
    if entry is None:
        return
    provider_id, texts = entry
    with st.expander("Edit what was entered"), st.form(decider.key("entry"), border=False):
        changed = _ask(texts, decider.key("entry-field"), fixed=SPECIFIC_ID)
        if st.form_submit_button("Save"):
            _save(decider, provider_id, changed)


def _save(decider: Decider, provider_id: int, texts: Mapping[str, str]) -> None:
    service, actor, row_id = decider.whose
    with show_refusals():
        save_entry(service, actor, provider_id, texts, is_new=False)
        row = read_row(service, actor, row_id)
        decider.decided = Decided(row.version, row)


def _ask(texts: Mapping[str, str], key: str, *, fixed: str = "") -> dict[str, str]:
    columns = st.columns(2)
    asked = {}
    for place, field in enumerate(FIELDS):
        text = columns[place % 2].text_input(
            field.label + (" *" if field.is_needed else ""),
            value=texts.get(field.name, ""),
            max_chars=2_000,
            help=field.about,
            key=f"{key}-{field.name}",
            disabled=field.name == fixed,
        )
        asked[field.name] = text or ""
    return asked


_DONE = "manual_rows_added"
