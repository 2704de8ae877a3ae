"""What every import asks first: the file, and which of its columns is what."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import streamlit as st

from w365.errors import W365Error
from w365.model import RunKind, RunState
from w365.service.exporting import Format
from w365.service.importing.previews import describe_upload
from w365.service.importing.report import LineError, count_lines, errors_file
from w365.service.importing.templates import make_template
from w365.service.importing.uploads import Upload, forget_upload, keep_upload
from w365.service.syncing.runs import list_runs
from w365.sheets import Field, Places, Reading, Table
from w365.sheets.columns import name_columns
from w365.sheets.limits import MOST_BYTES, MOST_UPLOAD_BYTES
from w365.store.runs import RunView
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import show_error, show_refusals
from w365.ui.frame.runs import show_run
from w365.ui.frame.wording import counted, number, plain, short
from w365.ui.importing.reading import ask_reading

_UPLOAD, _KEPT, _LOOKED, _ASKED = "import_upload", "import_kept", "import_looked", "import_asked"
FROM_CRM = "import_from_crm"
"""Where the table that was read from the CRM is kept until it is imported."""

_NONE = -1
_MOST_ERRORS = 500
_HIDDEN = "import-hidden-"
_TEXT = (".csv", ".txt", ".tsv", ".tab")
_TOO_LARGE = (
    f"Up to {MOST_UPLOAD_BYTES >> 20:,} MB. A larger file, up to {MOST_BYTES >> 20:,} MB, "
    "is imported on the command line with w365 import."
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ChosenFile:
    """A file and its columns. `key` tells it from every other, and from itself with other columns."""

    upload: Upload
    table: Table
    places: Places
    key: Hashable


def ask_file(context: PageContext, name: str, fields: Sequence[Field], target: str) -> ChosenFile | None:
    """Ask for a file, how it is read and which column is what; None until there is one that can be read."""
    given = st.file_uploader(
        "CSV, Excel, OpenDocument, JSON or Parquet",
        key=f"{_UPLOAD}-{name}-{st.session_state.get(_UPLOAD, 0)}",
        max_upload_size=MOST_UPLOAD_BYTES >> 20,
        help="How it is read is found out and shown; you can change it.",
    )
    if given is None:
        st.caption(_TOO_LARGE)
        _offer_templates(name, fields)
        return None
    kept = _hand_over(context, given, _Wanted(tuple(fields), target))
    reading = ask_reading(kept.shown, given.file_id, is_text=given.name.lower().endswith(_TEXT))
    if reading != kept.shown.reading:
        st.session_state[_KEPT] = replace(kept, upload=replace(kept.upload, reading=reading), is_looked_at=False)
        st.rerun()
    if kept.error:
        return None
    if kept.shown.notes:
        st.caption(plain(" ".join(kept.shown.notes)))
    places = _ask_columns(kept, fields)
    missing = [field.label for field in fields if field.is_needed and field.name not in places]
    if missing:
        st.info(f"Choose the column of: **{', '.join(missing)}**.")
        return None
    used = replace(reading, leaves_hidden=st.session_state.get(_HIDDEN + given.file_id, False))
    key = (name, given.file_id, used, tuple(sorted(places.items())))
    return ChosenFile(replace(kept.upload, reading=used), kept.shown, places, key)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the file is to be: which fields it has, and for what it is."""

    fields: tuple[Field, ...]
    target: str


@dataclass(frozen=True, slots=True)
class _Kept:
    """A file that was handed over; `shown` is the table as it could last be read, `error` why it now cannot."""

    key: Hashable
    upload: Upload
    shown: Table
    places: Places
    error: W365Error | None = None
    is_looked_at: bool = True


def _hand_over(context: PageContext, given: Any, wanted: _Wanted) -> _Kept:
    """Keep a file for the processes that read it, once, and let one say what it is, once for each way to read it."""
    key = (given.file_id, wanted.target)
    kept: _Kept | None = st.session_state.get(_KEPT)
    if kept is None or kept.key != key or not kept.upload.path.exists():
        _drop(context)
        upload = keep_upload(context.service, context.actor, given.name, given.getvalue())
        kept = _Kept(key, upload, Table(given.name, "", (), _UNKNOWN), {}, is_looked_at=False)
    if not kept.is_looked_at:
        with st.spinner("Reading the file…"):
            kept = _describe(context, kept, wanted)
        st.session_state[_KEPT] = kept
    if kept.error:
        show_error(kept.error)
    return kept


_UNKNOWN = Reading()


def _describe(context: PageContext, kept: _Kept, wanted: _Wanted) -> _Kept:
    try:
        table, places = describe_upload(context.service, context.actor, kept.upload, wanted.fields, wanted.target)
    except W365Error as error:
        shown = replace(kept.shown, about="", reading=kept.upload.reading)
        return replace(kept, shown=shown, error=error, is_looked_at=True)
    return replace(kept, shown=table, places=places, error=None, is_looked_at=True)


def _drop(context: PageContext) -> None:
    kept: _Kept | None = st.session_state.pop(_KEPT, None)
    if kept is not None:
        forget_upload(context.service, context.actor, kept.upload)


def ask_hidden(chosen: ChosenFile, hidden: int) -> None:
    """Say that lines are hidden in the workbook, and let them be left out."""
    file_id = chosen.key[1] if isinstance(chosen.key, tuple) else ""
    leaves = chosen.upload.reading.leaves_hidden
    if hidden or leaves:
        amount = f"{counted(hidden, 'line')} that" if hidden else "the lines that"
        st.checkbox(f"Leave out {amount} are hidden in the workbook", value=leaves, key=f"{_HIDDEN}{file_id}")


def look_at_file(chosen: ChosenFile, also: Hashable, preview: Callable[[], T]) -> T | None:
    """Look at what the import would do, once for each file and columns; None when that fails, which is told."""
    key = (chosen.key, also)
    kept = st.session_state.get(_LOOKED)
    if kept is None or kept[0] != key:
        try:
            with st.spinner("Reading the file…"):
                kept = (key, preview())
        except W365Error as error:
            show_error(error)
            return None
        st.session_state[_LOOKED] = kept
    result: T = kept[1]
    return result


def forget_file(context: PageContext) -> None:
    """Empty the uploader, and look anew at what is chosen next."""
    _drop(context)
    st.session_state[_UPLOAD] = st.session_state.get(_UPLOAD, 0) + 1
    for name in (_LOOKED, FROM_CRM):
        st.session_state.pop(name, None)


def _offer_templates(name: str, fields: Sequence[Field]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("A template has the headings that are understood at once:", width="content")
        for form, label in ((Format.XLSX, "Excel template"), (Format.CSV, "CSV template")):
            file = make_template(name, fields, form)
            # Given only when it is chosen: until then it need not be kept for other replicas.
            give = partial(bytes, file.content)
            st.download_button(label, give, file.name, file.media_type, on_click="ignore", key=f"{name}-{form}")


def _ask_columns(kept: _Kept, fields: Sequence[Field]) -> dict[str, int]:
    table, places = kept.shown, kept.places
    names = [short(name_column, 40) for name_column in name_columns(table.headings)]
    is_complete = all(field.name in places for field in fields if field.is_needed)
    columns_found = ", ".join(
        f"{field.label} = {names[places[field.name]]}" for field in fields if field.name in places
    )
    with st.expander(f"Columns: {plain(columns_found) or 'none was understood'}", expanded=not is_complete):
        chosen = {}
        columns = st.columns(4)
        for place, field in enumerate(fields):
            chosen[field.name] = columns[place % 4].selectbox(
                field.label + (" *" if field.is_needed else ""),
                [_NONE, *range(len(names))],
                index=places.get(field.name, _NONE) + 1,
                format_func=lambda at: "not in the file" if at == _NONE else names[at],
                help=field.about,
                key=f"column-{kept.key}-{table.reading}-{field.name}",
            )
    return {name: place for name, place in chosen.items() if place != _NONE}


def show_errors(context: PageContext, errors: Sequence[LineError]) -> None:
    """List what is wrong, and offer the whole of it as a file."""
    lines = count_lines(errors)
    st.error(f"**{counted(lines, 'line')} cannot be used.** The file stays as it is; this is what to correct:")
    shown = [
        {"Line": error.line, "Column": error.column, "What stands there": error.value, "What is wrong": error.why}
        for error in errors[:_MOST_ERRORS]
    ]
    st.dataframe(shown, hide_index=True, alt="Lines with errors", height=min(35 * len(shown) + 38, 260))
    with st.container(horizontal=True, vertical_alignment="center"):
        name = f"w365-import-errors-{context.service.clock():%Y-%m-%d}.csv"
        st.download_button(
            "Download error report", lambda: errors_file(errors), name, "text/csv; charset=utf-8", on_click="ignore"
        )
        if len(errors) > _MOST_ERRORS:
            st.caption(f"The first {number(_MOST_ERRORS)} are shown; the report has all {number(len(errors))}.")


def begin_import(context: PageContext, request: Callable[[], int]) -> None:
    """Ask for the run, and show the page anew, where it is watched; a refusal is shown in its place."""
    with show_refusals():
        st.session_state[_ASKED] = request()
        forget_file(context)
        st.rerun()


def show_last(context: PageContext, kind: RunKind, target: str, say: Callable[[RunView], str]) -> None:
    """Show the last import; the one that was asked for here is told of once it is done."""
    run = _last(context, kind, target)
    if run is None:
        return
    if run.id == st.session_state.get(_ASKED) and not run.is_active:
        del st.session_state[_ASKED]
        if run.state is RunState.DONE:
            st.success(plain(say(run)))
    st.markdown("**Last import**")
    show_run(context, run)


def _last(context: PageContext, kind: RunKind, target: str) -> RunView | None:
    runs = list_runs(context.service, context.actor)
    return next((run for run in runs if run.kind is kind and run.target == target), None)
