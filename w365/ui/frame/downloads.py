"""Downloads: a dialog that says what the file will hold, with a link to it. Opening the link makes the file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import streamlit as st

from w365.api.browsers import COOKIE
from w365.api.download_links import SECONDS, make_link
from w365.service.exporting import EVERYTHING, FileRequest, Format, Subject
from w365.service.reading.records import count
from w365.store.reading.worklist import Filter
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import report_errors
from w365.ui.frame.visitor import base_path
from w365.ui.frame.wording import counted

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
    Subject.AUDIT_LOG: "Audit log",
}
ABOUT: Mapping[Subject, str] = {
    Subject.STATISTICS: "Every number of the Statistics page, a line each.",
    Subject.MAPPINGS: "Every provider account with its account, origin, seats and who mapped it when.",
    Subject.UNMAPPED: "Every unmapped provider account with its reason and its best candidates.",
    Subject.CONFLICTS: "Every provider account in conflict with the accounts that are supported.",
    Subject.CANDIDATES: "Every provider account with all its candidates, their scores and reasons.",
    Subject.DECISIONS: "Who or which run decided what, when and why.",
    Subject.AUDIT_LOG: "Who signed in, was refused, changed settings or roles, or downloaded something.",
}
_ALL = "everything"
_ALL_ABOUT = "One workbook with a sheet for each subject, and the meaning of the numbers."


def download_button(
    context: PageContext, subjects: Sequence[Subject], criteria: Filter | None = None, *, place: str
) -> None:
    """Offer these subjects, of the filter the person looks at or of all; `place` tells buttons apart."""
    label, about = ("Download…", None) if criteria is None else (":material/download:", "Download what the list shows")
    if st.button(label, key=f"download-{place}", help=about):
        st.dialog("Download", width="medium")(_show)(context, tuple(subjects), criteria)


def section_download(title: str, context: PageContext, section: str, since: dt.datetime | None = None) -> None:
    """Show a heading, with the `section` of the statistics below it as a file at its end."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader(title, width="content", anchor=False)
        if st.button("Download…", key=f"download-{title}"):
            st.dialog(f"Download: {title}", width="medium")(_show)(
                context, (Subject.STATISTICS,), None, (section,), since
            )


def _show(
    context: PageContext,
    subjects: tuple[Subject, ...],
    criteria: Filter | None,
    sections: tuple[str, ...] = (),
    since: dt.datetime | None = None,
) -> None:
    with report_errors():
        chosen = _ask_subject(subjects)
        form = _ask_format(chosen)
        scope = _ask_scope(context, criteria) if criteria is not None else None
        named = (Subject(chosen),) if chosen != _ALL else EVERYTHING
        _show_link(context, FileRequest(named, form, scope, sections, since))


def _ask_subject(subjects: tuple[Subject, ...]) -> str:
    if len(subjects) == 1:
        return subjects[0]
    words: dict[str, str] = {subject: SUBJECT_WORDS[subject] for subject in subjects}
    words[_ALL] = "Everything"
    chosen = st.pills("What", list(words), default=subjects[0], format_func=words.__getitem__, required=True)
    chosen = chosen or subjects[0]
    st.caption(_ALL_ABOUT if chosen == _ALL else ABOUT[Subject(chosen)])
    return chosen


def _ask_format(chosen: str) -> Format:
    forms = [Format.XLSX] if chosen == _ALL else list(FORMAT_WORDS)
    form = st.segmented_control(
        "Format",
        forms,
        default=forms[0],
        format_func=FORMAT_WORDS.__getitem__,
        required=True,
        key=f"download-format-{chosen == _ALL}",
    )
    return form or forms[0]


def _ask_scope(context: PageContext, criteria: Filter) -> Filter | None:
    """The rows of the filter, said with their number, or all there are."""
    rows = counted(count(context.service, context.actor, criteria), "row")
    words = {True: f"What the list shows now: {rows}", False: "All provider accounts, gone ones too"}
    is_shown = st.radio("Which", list(words), format_func=words.__getitem__)
    return criteria if is_shown else None


def _show_link(context: PageContext, request: FileRequest) -> None:
    browser = st.context.cookies.get(COOKIE, "")
    if not browser:
        st.warning("Reload the page once; then this browser can download.")
        return
    link = base_path() + make_link(context.service, context.actor, request, browser)
    # A link works once. Opening it runs this dialog again, which makes the next one.
    label = f"Download {FORMAT_WORDS[request.form]}"
    st.link_button(label, link, type="primary", on_click="rerun", icon=":material/download:", key="download-link")
    once = f"The link works once, in this browser only, for {SECONDS // 60} minutes."
    st.caption(f"{once} A large file arrives while it is made; Excel is made first and then sent.")
