"""Which version this is, and which others are open on the database."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from w365.model import ProcessKind
from w365.service.processes import Installation, machine_of
from w365.ui.frame.wording import counted, plain

_KINDS = {ProcessKind.APP: "App", ProcessKind.WORKER: "Worker"}


def warn_of_other_schema(installation: Installation) -> None:
    """Say that another version has changed the database: here everything is read, and nothing saved."""
    if installation.stored_schema != installation.schema:
        st.warning(
            f"Another version of this program has changed the database: it has the schema "
            f"{plain(str(installation.stored_schema))}, and this app {installation.schema}. This app only reads, and "
            "saves nothing. Reload the page in a moment; whoever runs this updates all its apps and workers.",
            icon=":material/update:",
        )


def show_installation(installation: Installation, now: dt.datetime) -> None:
    """Say the version and schema of this app, and list the others where there may be some."""
    st.caption(f"Version {installation.version}, schema {installation.schema}")
    processes = installation.processes
    if not any(process.kind is ProcessKind.APP for process in processes):
        return  # with SQLite there is this app alone
    others = sum(process.version != installation.version for process in processes)
    if others:
        st.caption(f"{counted(others, 'process', 'processes')} with another version than this app's:")
    rows = [
        {
            "Process": _KINDS[process.kind],
            "Machine": machine_of(process),
            "Version": process.version,
            "Schema": process.schema,
            "Seen": f"{max(0, round((now - process.seen_at).total_seconds()))} s ago",
        }
        for process in processes
    ]
    st.dataframe(rows, hide_index=True, alt="Apps and workers on this database")
