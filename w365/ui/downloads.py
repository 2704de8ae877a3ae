"""Download buttons. A file is made when it is asked for, not when the page is drawn."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from w365.service.export import MEDIA_TYPES, Format, Subject, render
from w365.ui.desk import Desk

FORMAT_WORDS: Mapping[Format, str] = {
    Format.CSV: "CSV",
    Format.XLSX: "Excel",
    Format.PARQUET: "Parquet",
    Format.JSON: "JSON",
}
SUBJECT_WORDS: Mapping[Subject, str] = {
    Subject.STATISTICS: "Statistics",
    Subject.MAPPINGS: "Mappings",
    Subject.UNMAPPED: "Unmapped",
    Subject.CONFLICTS: "Conflicts",
    Subject.CANDIDATES: "Candidates",
    Subject.DECISIONS: "Decisions",
}


def download(desk: Desk, subject: Subject, form: Format, *, label: str, place: str) -> None:
    """Offer one file; `place` tells buttons for the same file apart."""
    st.download_button(
        label,
        data=lambda: render(desk.service, desk.actor, subject, form).content,
        file_name=f"w365-{subject}-{desk.service.clock():%Y-%m-%d}.{form}",
        mime=MEDIA_TYPES[form],
        key=f"download-{place}-{subject}-{form}",
        on_click="ignore",
    )


def download_menu(desk: Desk, subject: Subject) -> None:
    """Offer one subject in every format behind one button."""
    with st.popover(f"Download {SUBJECT_WORDS[subject].lower()}"):
        for form, words in FORMAT_WORDS.items():
            download(desk, subject, form, label=words, place="menu")


def download_all(desk: Desk) -> None:
    """Offer every subject in the format chosen."""
    form = st.segmented_control(
        "Format", list(FORMAT_WORDS), default=Format.CSV, format_func=FORMAT_WORDS.__getitem__, required=True
    )
    with st.container(horizontal=True):
        for subject, words in SUBJECT_WORDS.items():
            download(desk, subject, form or Format.CSV, label=words, place="all")
