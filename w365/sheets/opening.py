"""Open a file that a person hands in: what it is, by its content, against what its name says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Protocol

from w365.sheets import parquet, records, text
from w365.sheets.columns import Field, count_understood, letter
from w365.sheets.limits import MOST_BYTES, refuse
from w365.sheets.lines import Content, Line, Reading, Sheet, SheetName, Table, open_bytes, take_apostrophes
from w365.sheets.opendocument import open_document
from w365.sheets.package import open_package
from w365.sheets.workbook import OpenSheet, open_workbook

_ZIP, _OLE, _PARQUET = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PAR1"
_OTHERS = (
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"{\\rtf", "a text with formats (RTF)"),
    (b"SQLite format 3", "a database"),
)
_OLE_STREAMS = (
    ("EncryptedPackage", "is protected with a password"),
    ("WordDocument", "is a Word document"),
    ("PowerPoint Document", "is a PowerPoint presentation"),
)
_EXCEL, _ODS = (".xlsx", ".xlsm", ".xltx", ".xltm"), (".ods", ".ots")
_JSON = (".json", ".jsonl", ".ndjson")
_AS_CSV = "Save the table as .xlsx or as “CSV UTF-8” and choose that file."
_UNPROTECT = "Open it in Excel, take the password away (File, Info), save it and choose it again."
_EMPTY = "Choose a file with headings and lines."
_LOOKED_AT, _MOST_SHEETS, _MOST_NAMED = 30, 20, 8


class _Sheets(Protocol):
    """A workbook of either kind."""

    @property
    def sheets(self) -> Iterable[SheetName]: ...
    def rows_of(self, sheet: SheetName) -> Iterator[Line]: ...
    def open(self, sheet: SheetName) -> OpenSheet: ...


@dataclass(frozen=True, slots=True)
class _Source:
    """A table that was opened, before it is known where its headings are."""

    about: str
    read: Callable[[], Iterator[Line]]
    reading: Reading
    fills: bool = False
    unquotes: bool = True
    sheets: tuple[SheetName, ...] = ()
    notes: tuple[str, ...] = ()
    samples: Mapping[str, str] = field(default_factory=dict)
    hidden: tuple[int, ...] = ()


def open_sheet(
    name: str,
    content: Content,
    fields: Sequence[Field] = (),
    reading: Reading | None = None,
    likely: Reading | None = None,
) -> Sheet:
    """Look into a file and return its table; InputError with a sentence for whatever is no table with headings.

    `reading` is what a person chose, `likely` what was chosen for an earlier file and is tried before what is guessed;
    by the `fields` a table is known: its sheet, its separator, the line of its headings. A file beyond
    `w365.sheets.limits` is refused by what is counted of it, in little time and memory.
    """
    name = name.encode("utf-8", "replace").decode().replace("\n", " ")
    _refuse_size(name, content)
    with open_bytes(content) as file:
        head = file.read(4096)
    if not head.strip():
        refuse(name, "is empty", _EMPTY)
    chosen, likely = reading or Reading(), likely or Reading()
    source = _open(name, content, head, fields, chosen, likely)
    return _find_headings(name, source, fields, chosen, likely)


def _open(
    name: str, content: Content, head: bytes, fields: Sequence[Field], chosen: Reading, likely: Reading
) -> _Source:
    if head.startswith(_ZIP):
        return _open_archive(name, content, fields, chosen, likely)
    _refuse_others(name, content, head)
    if head.startswith(_PARQUET):
        return _Source("Parquet file", parquet.read_rows(name, content), Reading(), unquotes=False)
    if name.lower().endswith((*_EXCEL, *_ODS)):
        kind = "Excel workbook" if name.lower().endswith(_EXCEL) else "OpenDocument table"
        do = "If it is a CSV file, give it a name that ends in .csv."
        refuse(name, f"is named as an {kind}, but is plain text", do)
    if records.is_json(head) or name.lower().endswith(_JSON):
        return _Source("JSON", records.read_rows(name, content), Reading(), unquotes=False)
    form = text.find_form(name, content, chosen, likely, fields)
    resolved = Reading(encoding=form.encoding, separator=form.separator)
    return _Source(form.say(), lambda: text.read_rows(name, content, form), resolved, samples=form.samples)


def describe_table(
    name: str,
    content: Content,
    fields: Sequence[Field] = (),
    reading: Reading | None = None,
    likely: Reading | None = None,
) -> Table:
    """Look into a file as `open_sheet` does."""
    return open_sheet(name, content, fields, reading, likely).table


# --- workbooks ---


def _open_archive(name: str, content: Content, fields: Sequence[Field], chosen: Reading, likely: Reading) -> _Source:
    package = open_package(name, content)
    is_excel = package.is_workbook
    book: _Sheets = open_workbook(package) if is_excel else open_document(package)
    ends, what = (_EXCEL, "an Excel workbook") if is_excel else (_ODS, "an OpenDocument table")
    if not name.lower().endswith(ends):
        do = f"Give it a name that ends in {ends[0]} and choose it again."
        refuse(name, f"is {what}, but its name says otherwise", do)
    sheets = tuple(book.sheets)
    if not sheets:
        refuse(name, "is empty", _EMPTY)
    sheet = _choose_sheet(name, book, sheets, fields, chosen.sheet, likely.sheet)
    read, hidden = book.open(sheet)
    about = f"{what.partition(' ')[2]}, sheet “{sheet.name}”"
    return _Source(
        about, read, Reading(sheet.name), fills=True, sheets=sheets, notes=_note_sheets(sheets, sheet), hidden=hidden
    )


def _choose_sheet(
    name: str, book: _Sheets, sheets: Sequence[SheetName], fields: Sequence[Field], chosen: str, likely: str
) -> SheetName:
    """Take the sheet that was chosen, or else the first visible one whose headings are understood."""
    named = {sheet.name: sheet for sheet in reversed(sheets)}
    if chosen and chosen not in named:
        refuse(name, f"has no sheet “{chosen}”", f"Its sheets: {', '.join(sheet.name for sheet in sheets)}.")
    if chosen or likely in named:
        return named[chosen or likely]
    visible = [sheet for sheet in sheets if not sheet.is_hidden]
    if len(visible) > 1:
        for sheet in visible[:_MOST_SHEETS]:
            if _find_line(islice(book.rows_of(sheet), _LOOKED_AT), fields):
                return sheet
    return (visible or sheets)[0]


def _note_sheets(sheets: Sequence[SheetName], read: SheetName) -> tuple[str, ...]:
    hidden = [f"“{sheet.name}”" for sheet in sheets if sheet.is_hidden and sheet != read]
    others = [f"“{sheet.name}”" for sheet in sheets if not sheet.is_hidden and sheet != read]
    notes = [f"The sheet “{read.name}” is hidden in the workbook."] if read.is_hidden else []
    if others:
        notes.append(f"Other sheets, which are not read: {_name_some(others)}.")
    if hidden:
        notes.append(f"Hidden sheets, which are not read: {_name_some(hidden)}.")
    return tuple(notes)


def _name_some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


# --- headings ---


def _find_headings(name: str, source: _Source, fields: Sequence[Field], chosen: Reading, likely: Reading) -> Sheet:
    rows = (line for line in source.read() if any(line.cells))
    first = list(islice(rows, _LOOKED_AT))
    if not first:
        refuse(name, "is empty, or all it holds are formulas whose results are not stored", _EMPTY)
    line = _choose_line(name, first, fields, chosen, likely)
    if line is first[-1] and next(rows, None) is None:
        refuse(
            name,
            "has one line only: headings without lines below them, or a line without headings"
            if line is first[0]
            else "has no lines below its headings",
            "The first line names the columns; the provider accounts or mappings stand below it.",
        )
    headings = tuple((take_apostrophes(cell) if source.unquotes else cell).strip() for cell in line.cells)
    reading = replace(source.reading, heading_line=line.number, leaves_hidden=chosen.leaves_hidden)
    notes = (*source.notes, *_note_headings(first, line, headings, source.hidden))
    table = Table(name, source.about, headings, reading, source.sheets, notes, dict(source.samples))
    return Sheet(table, source.read, source.fills, source.unquotes)


def _choose_line(name: str, first: Sequence[Line], fields: Sequence[Field], chosen: Reading, likely: Reading) -> Line:
    """Take the line that was chosen, or the first whose cells are understood as headings, or the first."""
    by_number = {line.number: line for line in first}
    if not chosen.heading_line:
        return _find_line(first, fields) or by_number.get(likely.heading_line, first[0])
    if chosen.heading_line not in by_number:
        refuse(
            name,
            f"has nothing in line {chosen.heading_line:,} that could be headings",
            f"Choose one of the lines {first[0].number:,} to {first[-1].number:,}.",
        )
    return by_number[chosen.heading_line]


def _find_line(lines: Iterable[Line], fields: Sequence[Field]) -> Line | None:
    return next((line for line in lines if count_understood(line.cells, fields)), None) if fields else None


def _note_headings(first: Sequence[Line], line: Line, headings: Sequence[str], hidden: Sequence[int]) -> Iterator[str]:
    if line is not first[0]:
        yield f"The headings stand in line {line.number:,}; what stands above them is not read."
    concealed = [
        f"{headings[place] or 'without heading'} ({letter(place)})" for place in hidden if place < len(headings)
    ]
    if concealed:
        yield f"Columns that are hidden in the workbook are read too: {_name_some(concealed)}."


# --- what is refused ---


def _refuse_size(name: str, content: Content) -> None:
    if isinstance(content, Path):
        size = content.stat().st_size
        if not content.is_file():
            refuse(name, "is no file", _EMPTY)
    else:
        size = len(content)
    if size > MOST_BYTES:
        refuse(name, f"is larger than {MOST_BYTES >> 20:,} MB")


def _refuse_others(name: str, content: Content, head: bytes) -> None:
    if head.startswith(_OLE):
        _refuse_ole(name, content)
    start = head.lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if b'progid="excel.sheet"' in start or b"urn:schemas-microsoft-com:office:spreadsheet" in start:
        refuse(name, "is an XML table of Excel 2003", _AS_CSV)
    is_page = start.startswith((b"<!doctype html", b"<html", b"<table", b"<?xml", b"<meta"))
    what = "a web page or XML" if is_page else next((words for sign, words in _OTHERS if head.startswith(sign)), "")
    if what:
        refuse(name, f"is {what}, not a table", _AS_CSV)


def _refuse_ole(name: str, content: Content) -> None:
    """Say what lies in a compound file, whose directory has the names of its streams."""
    with open_bytes(content) as file:
        blocks = iter(lambda: file.read(1 << 20), b"")
        streams = {what for block in blocks for stream, what in _OLE_STREAMS if stream.encode("utf-16-le") in block}
    what = next((what for _, what in _OLE_STREAMS if what in streams), "is an Excel workbook of the old kind (.xls)")
    refuse(name, what, _UNPROTECT if "password" in what else _AS_CSV)
