"""Mappings for the Import page that are read from the CRM's own table in the place of a file."""

from __future__ import annotations

from typing import TypeGuard

import streamlit as st

from w365.model import RunState
from w365.service.exporting.text_files import csv_bytes
from w365.service.importing.mapping_plan import FIELDS
from w365.service.importing.uploads import forget_upload, keep_upload
from w365.service.writeback.compare import request_compare, sheet_as_read
from w365.service.writeback.view import read_overview
from w365.sheets import guess_columns
from w365.store.runs import RunView
from w365.ui.frame import pages
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import show_refusals
from w365.ui.frame.runs import show_run
from w365.ui.frame.wording import plain
from w365.ui.importing.file import FROM_CRM, ChosenFile, forget_file

_AWAITED = "import_crm_run"
"""The run that reads the table for the person who asked for it here."""


def ask_crm(context: PageContext) -> ChosenFile | None:
    """Return the table that was read; None while nobody asked for it."""
    chosen: ChosenFile | None = st.session_state.get(FROM_CRM)
    if chosen is None:
        return None
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(plain(f"{chosen.table.name}, {chosen.table.about}"), width="content")
        if st.button("Read it again", key="crm-again"):
            _read(context)
        if st.button("Use a file instead", key="crm-file"):
            _forget(context)
            st.rerun()
    return chosen


def offer_crm(context: PageContext) -> None:
    """Offer to read the table, show how far that is, or say where it is named."""
    seen = read_overview(context.service, context.actor, compares=False)
    if seen is None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("They may be read from a table of Dataverse too: an admin names it on", width="content")
            st.page_link(pages.CONFIGURATION.path, label=":primary[Configuration]")
        return
    if _is_awaited(seen.compared):
        _await(context, seen.compared)
    if st.button(
        f"Read them from Dataverse: {seen.place.table}",
        icon=":material/cloud_download:",
        key="crm-read",
        disabled=_is_awaited(seen.compared),
    ):
        _read(context)


def _is_awaited(run: RunView | None) -> TypeGuard[RunView]:
    """Whether this person asked here for the table, and it is not taken yet."""
    return run is not None and run.id >= st.session_state.get(_AWAITED, run.id + 1)


def _await(context: PageContext, run: RunView) -> None:
    """Show the run, which the worker does whether or not somebody looks, and take the table once it is read."""
    if not run.is_active:
        del st.session_state[_AWAITED]
    if run.state is RunState.DONE:
        _take(context)
    show_run(context, run)


def _read(context: PageContext) -> None:
    """Ask for the run that reads the table; one that is under way is as good."""
    seen = read_overview(context.service, context.actor, compares=False)
    running = seen.compared if seen and seen.compared and seen.compared.is_active else None
    with show_refusals():
        st.session_state[_AWAITED] = running.id if running else request_compare(context.service, context.actor)
        _forget(context)
        st.rerun()


def _take(context: PageContext) -> None:
    with show_refusals():
        sheet = sheet_as_read(context.service, context.actor)
        places = guess_columns(sheet.headings, FIELDS)
        content = csv_bytes(sheet.headings, (line.cells for line in sheet.lines()))
        upload = keep_upload(context.service, context.actor, sheet.name, content)
        st.session_state[FROM_CRM] = ChosenFile(
            upload, sheet.table, places, ("crm", context.service.clock().isoformat())
        )
        st.rerun()


def _forget(context: PageContext) -> None:
    if chosen := st.session_state.get(FROM_CRM):
        forget_upload(context.service, context.actor, chosen.upload)
    forget_file(context)
