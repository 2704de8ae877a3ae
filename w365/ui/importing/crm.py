"""Mappings for the Import page that are read from the CRM's own table in the place of a file."""

from __future__ import annotations

import streamlit as st

from w365.service.exporting.text_files import csv_bytes
from w365.service.importing.mapping_plan import FIELDS
from w365.service.importing.uploads import forget_upload, keep_upload
from w365.service.writeback.compare import read_sheet
from w365.service.writeback.view import read_overview
from w365.sheets import Table, guess_columns
from w365.ui.frame import pages
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import show_refusals
from w365.ui.frame.wording import plain
from w365.ui.importing.file import FROM_CRM, ChosenFile, forget_file


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
    """Offer to read the table, or say where it is named."""
    seen = read_overview(context.service, context.actor, compares=False)
    with st.container(horizontal=True, vertical_alignment="center"):
        if seen is None:
            st.caption("They may be read from a table of Dataverse too: an admin names it on", width="content")
            st.page_link(pages.CONFIGURATION.path, label=":primary[Configuration]")
            return
        if st.button(f"Read them from Dataverse: {seen.place.table}", icon=":material/cloud_download:", key="crm-read"):
            _read(context)


def _read(context: PageContext) -> None:
    with show_refusals():
        with st.spinner("Reading the table from Dataverse…"):
            sheet = read_sheet(context.service, context.actor)
        places = guess_columns(sheet.headings, FIELDS)
        _forget(context)
        content = csv_bytes(sheet.headings, (line.cells for line in sheet.lines()))
        upload = keep_upload(context.service, context.actor, sheet.name, content)
        table = Table(sheet.name, sheet.about, sheet.headings)
        st.session_state[FROM_CRM] = ChosenFile(upload, table, places, ("crm", context.service.clock().isoformat()))
        st.rerun()


def _forget(context: PageContext) -> None:
    if chosen := st.session_state.get(FROM_CRM):
        forget_upload(context.service, context.actor, chosen.upload)
    forget_file(context)
