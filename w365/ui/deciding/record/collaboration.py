"""Owner and notes of a row, in the record."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from w365.errors import SignedOut, W365Error
from w365.model import Role
from w365.service.deciding import collaboration
from w365.service.deciding.collaboration import LONGEST_NOTE, LONGEST_OWNER
from w365.service.reading.records import Record
from w365.store.deciding.collaboration import NoteView
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import show_error
from w365.ui.frame.wording import counted, full_time, local_zone, plain


def show_teamwork(context: PageContext, record: Record) -> None:
    """Show who takes care of the row and what was said about it, with fields for those who may write."""
    row = record.row.id
    notes = collaboration.list_notes(context.service, context.actor, row)
    st.markdown("**Owner and notes**")
    if context.actor.role >= Role.ANALYST:
        _show_owner(context, record)
        _show_field(context, row)
    elif record.row.owner:
        st.markdown(f"{plain(record.row.owner)}  \n:gray[:small[Owner]]")
    written = [note for note in notes if not note.is_owner_change]
    for note in written[:3]:
        _show_note(note)
    if len(notes) > len(written[:3]):
        with st.expander(f"All: {counted(len(notes), 'entry', 'entries')}"):
            for note in notes:
                _show_note(note)


def _show_owner(context: PageContext, record: Record) -> None:
    row, owner = record.row.id, record.row.owner
    key = f"owner-{row}-{owner}"

    def give(to: str) -> None:
        _try(lambda: collaboration.set_owner(context.service, context.actor, row, to, seen=owner), row)

    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
        st.text_input(
            "Owner",
            owner,
            key=key,
            max_chars=LONGEST_OWNER,
            placeholder="Nobody",
            on_change=lambda: give(st.session_state[key] or ""),
        )
        if owner != context.actor.name:
            st.button("Take it", key=f"take-{row}", on_click=give, args=(context.actor.name,))
    _show_refusal(row)


def _show_field(context: PageContext, row: int) -> None:
    """Ask for a note. What was typed and not saved is there again when the row is."""
    key, draft, state = f"note-{row}", f"note-draft-{row}", st.session_state

    def keep() -> None:
        state[draft] = state[key]

    def save() -> None:
        if _try(lambda: collaboration.add_note(context.service, context.actor, row, state[key] or ""), row):
            state[key] = state[draft] = ""

    state.setdefault(key, state.get(draft, ""))
    st.text_area(
        "Note", key=key, max_chars=LONGEST_NOTE, height=68, placeholder="For whoever comes next", on_change=keep
    )
    st.button("Save note", key=f"note-save-{row}", on_click=save)


def _try(work: Callable[[], object], row: int) -> bool:
    """Return whether it was done; keep a refusal for the run that follows."""
    try:
        work()
    except SignedOut:
        return False  # the page itself asks to sign in
    except W365Error as error:
        st.session_state[f"teamwork-error-{row}"] = error
        return False
    return True


def _show_refusal(row: int) -> None:
    error = st.session_state.pop(f"teamwork-error-{row}", None)
    if isinstance(error, W365Error):
        show_error(error)


def _show_note(note: NoteView) -> None:
    source = f"{full_time(note.at, local_zone())}, {note.actor}"
    st.markdown(f"{plain(note.text)}  \n:gray[:small[{plain(source)}]]")
