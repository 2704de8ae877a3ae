"""How a file is read, as it was found out: sheet, line of the headings, encoding, what stands between cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from w365.sheets import Reading, Table
from w365.sheets.encodings import ENCODINGS
from w365.sheets.text import SEPARATORS
from w365.ui.frame.wording import plain, short

_LONGEST_SAMPLE = 160


def ask_reading(table: Table, file_id: str, *, is_text: bool) -> Reading:
    """Show how a table is read and return how the person wants it to be; what is empty is to be found out.

    A table that could not be read is `about` nothing; `is_text` says then what can be chosen.
    """
    reading, is_known = table.reading, bool(table.about)
    if not table.sheets and not reading.separator and (is_known or not is_text):
        st.caption(plain(table.about))
        return reading
    with st.expander(_say(table), expanded=not is_known):
        columns = st.columns(3)
        if table.sheets:
            with columns[0]:
                reading = _ask_sheet(table, file_id)
        else:
            with columns[0]:
                reading = _ask_encoding(table, file_id)
            with columns[1]:
                reading = _ask_separator(reading, table.reading, file_id)
        asked = table.reading
        if asked.heading_line:
            with columns[2]:
                asked = _ask_heading_line(asked, file_id)
        if sample := table.samples.get(table.reading.encoding, ""):
            st.caption(plain(f"Words that depend on the encoding: {short(sample, _LONGEST_SAMPLE)}"))
    is_same = reading == table.reading
    return replace(reading, heading_line=asked.heading_line if is_same else 0)


def _say(table: Table) -> str:
    if not table.about:
        return "How it is read"
    return plain(f"Read as: {table.about}, headings in line {table.reading.heading_line:,}")


def _ask_sheet(table: Table, file_id: str) -> Reading:
    names = [sheet.name for sheet in table.sheets]
    hidden = {sheet.name for sheet in table.sheets if sheet.is_hidden}
    name = st.selectbox(
        "Sheet",
        names,
        index=names.index(table.reading.sheet),
        format_func=lambda name: f"{name} (hidden)" if name in hidden else name,
        key=f"sheet-{file_id}",
    )
    return replace(table.reading, sheet=name or names[0])


def _ask_encoding(table: Table, file_id: str) -> Reading:
    now = "utf-16" if table.reading.encoding.startswith("utf-16") else table.reading.encoding
    chosen = st.selectbox(
        "Encoding",
        list(ENCODINGS),
        index=_index(list(ENCODINGS), now),
        format_func=lambda name: _label_encoding(table, name),
        placeholder="Choose the encoding",
        key=f"encoding-{file_id}",
    )
    return table.reading if chosen in {now, None} else replace(table.reading, encoding=chosen)


def _label_encoding(table: Table, name: str) -> str:
    sample = table.samples.get(name, "")
    return f"{ENCODINGS[name]}: {short(sample, 40)}" if sample else ENCODINGS[name]


def _ask_separator(reading: Reading, found: Reading, file_id: str) -> Reading:
    marks = list(dict.fromkeys([*SEPARATORS, *filter(None, [found.separator])]))
    chosen = st.selectbox(
        "Between the cells",
        marks,
        index=_index(marks, found.separator),
        placeholder="Found out",
        format_func=lambda mark: SEPARATORS.get(str(mark), str(mark)).capitalize(),
        key=f"separator-{file_id}",
    )
    return replace(reading, separator=chosen or found.separator)


def _index(names: Sequence[str], name: str) -> int | None:
    return names.index(name) if name in names else None


def _ask_heading_line(reading: Reading, file_id: str) -> Reading:
    # A widget of its own for each way of reading: the line was found anew with it.
    way = f"{reading.sheet}-{reading.encoding}-{reading.separator}"
    line = st.number_input(
        "Line of the headings",
        min_value=1,
        max_value=1_048_576,
        value=max(reading.heading_line, 1),
        key=f"heading-{file_id}-{way}",
    )
    return replace(reading, heading_line=line)
