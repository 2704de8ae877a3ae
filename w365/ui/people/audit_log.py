"""The audit log on the People page: the latest entries, narrowed by kind and person, and all of it as a file."""

from __future__ import annotations

from typing import Any

import streamlit as st

from w365.model import AuditKind
from w365.service.exporting import Subject
from w365.service.people.roles import list_audit_log, list_audit_names
from w365.ui.frame.downloads import download_button
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import report_errors
from w365.ui.frame.wording import full_time, local_zone
from w365.ui.people.words import KIND_WORDS

_SHOWN = 200
_HEIGHT = 420
_FEW = 11


@st.fragment
def show_audit_log(context: PageContext) -> None:
    with report_errors():
        kind, name = _ask_filter(context)
        events = list_audit_log(context.service, context.actor, kind, name, limit=_SHOWN)
        if not events:
            st.info("No entry fits these filters." if kind or name else "Nothing happened yet.")
            return
        if len(events) == _SHOWN:
            st.caption(f"The latest {_SHOWN} are shown; the download has all of every kind and person.")
        zone = local_zone()
        rows = [
            {
                "Time": full_time(event.at, zone),
                "Who": event.actor,
                "Kind": KIND_WORDS[event.kind],
                "What": event.about,
                "From": event.address,
            }
            for event in events
        ]
        options: dict[str, Any] = {"hide_index": True, "column_config": _COLUMNS, "alt": "Audit log"}
        st.dataframe(rows, height=_HEIGHT if len(rows) > _FEW else "content", **options)


def _ask_filter(context: PageContext) -> tuple[AuditKind | None, str]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.selectbox(
            "Kind",
            ["", *KIND_WORDS],
            format_func=lambda kind: KIND_WORDS[AuditKind(kind)] if kind else "Any kind",
            width=220,
            key="audit-kind",
        )
        names = ["", *list_audit_names(context.service, context.actor)]
        name = st.selectbox("Person", names, format_func=lambda name: name or "Anybody", width=320, key="audit-person")
        download_button(context, (Subject.AUDIT_LOG,), place="audit-log")
    return AuditKind(kind) if kind else None, name or ""


_COLUMNS = {
    name: st.column_config.Column(name, width=width)
    for name, width in (("Time", 160), ("Who", 200), ("Kind", 90), ("What", 600), ("From", 130))
}
