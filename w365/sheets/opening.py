"""Open a file that a person hands in: what it is, by its content, against what its name says."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator

from w365.errors import InputError
from w365.sheets import text, workbook
from w365.sheets.lines import Content, Line, Sheet, open_bytes, take_apostrophes

_KEPT = "Nothing was read."
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OTHERS = ((b"%PDF", "a PDF document"), (b"\x1f\x8b", "a gzip archive"), (b"PAR1", "a Parquet file"))
_EXCEL = (".xlsx", ".xlsm")
_AS_CSV = "Save the table as .xlsx or as “CSV UTF-8” and choose that file."


def open_sheet(name: str, content: Content) -> Sheet:
    """Look into a file and return its table; InputError with a sentence for whatever is no table with headings."""
    with open_bytes(content) as file:
        head = file.read(4096)
    if not head.strip():
        raise InputError(f"{name} is empty.", kept=_KEPT, do="Choose a file with headings and lines.")
    _refuse_others(name, head)
    if head.startswith(_ZIP):
        _check_workbook(name, content)
        return _sheet(name, "Excel workbook", lambda: workbook.read_rows(name, content))
    if name.lower().endswith(_EXCEL):
        raise InputError(
            f"{name} is named as an Excel workbook, but is plain text.",
            kept=_KEPT,
            do="If it is a CSV file, give it a name that ends in .csv.",
        )
    form = text.find_form(name, content)
    return _sheet(name, form.say(), lambda: text.read_rows(name, content, form))


def _sheet(name: str, about: str, read: object) -> Sheet:
    assert callable(read)  # noqa: S101 - for the type checker
    rows: Iterator[Line] = (line for line in read() if any(line.cells))
    first, second = next(rows, None), next(rows, None)
    if first is None:
        raise InputError(f"{name} is empty.", kept=_KEPT, do="Choose a file with headings and lines.")
    if second is None:
        raise InputError(
            f"{name} has one line only: headings without lines below them, or a line without headings.",
            kept=_KEPT,
            do="The first line names the columns; the provider accounts or mappings stand below it.",
        )
    headings = tuple(take_apostrophes(cell).strip() for cell in first.cells)
    return Sheet(name, about, headings, read)


def _refuse_others(name: str, head: bytes) -> None:
    if head.startswith(_OLE):
        raise InputError(
            f"{name} is an Excel workbook of the old kind (.xls), or one with a password.", kept=_KEPT, do=_AS_CSV
        )
    start = head.lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    is_page = start.startswith((b"<!doctype html", b"<html", b"<table", b"<?xml"))
    what = "a web page or XML" if is_page else next((words for sign, words in _OTHERS if head.startswith(sign)), "")
    if what:
        raise InputError(f"{name} is {what}, not a table.", kept=_KEPT, do=_AS_CSV)


def _check_workbook(name: str, content: Content) -> None:
    try:
        with open_bytes(content) as file, zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except zipfile.BadZipFile:
        raise InputError(
            f"{name} is damaged: it begins as an Excel workbook and then breaks off.",
            kept=_KEPT,
            do="Save it again, or copy it anew.",
        ) from None
    if "xl/workbook.xml" not in {entry.filename for entry in entries}:
        raise InputError(f"{name} is an archive, but no Excel workbook.", kept=_KEPT, do=_AS_CSV)
    if sum(entry.file_size for entry in entries) > workbook.LARGEST:
        raise InputError(
            f"{name} unpacks to more than {workbook.LARGEST // 2**20} MB.", kept=_KEPT, do="Save the table as CSV."
        )
    if not name.lower().endswith(_EXCEL):
        raise InputError(
            f"{name} is an Excel workbook, but its name says otherwise.",
            kept=_KEPT,
            do="Give it a name that ends in .xlsx and choose it again.",
        )
