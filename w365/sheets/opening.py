"""Open a file that a person hands in: what it is, by its content, against what its name says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from w365.sheets import text
from w365.sheets.limits import MOST_BYTES, refuse
from w365.sheets.lines import Content, Line, Sheet, open_bytes, take_apostrophes
from w365.sheets.workbook import open_workbook

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OTHERS = ((b"%PDF", "a PDF document"), (b"\x1f\x8b", "a gzip archive"), (b"PAR1", "a Parquet file"))
_EXCEL = (".xlsx", ".xlsm")
_AS_CSV = "Save the table as .xlsx or as “CSV UTF-8” and choose that file."
_EMPTY = "Choose a file with headings and lines."


def open_sheet(name: str, content: Content) -> Sheet:
    """Look into a file and return its table; InputError with a sentence for whatever is no table with headings.

    A file beyond `w365.sheets.limits` is refused by what is counted of it, in little time and memory.
    """
    _refuse_size(name, content)
    with open_bytes(content) as file:
        head = file.read(4096)
    if not head.strip():
        refuse(name, "is empty", _EMPTY)
    _refuse_others(name, head)
    if head.startswith(_ZIP):
        workbook = open_workbook(name, content)
        if not name.lower().endswith(_EXCEL):
            refuse(
                name,
                "is an Excel workbook, but its name says otherwise",
                "Give it a name that ends in .xlsx and choose it again.",
            )
        return _sheet(name, "Excel workbook", workbook.rows)
    if name.lower().endswith(_EXCEL):
        do = "If it is a CSV file, give it a name that ends in .csv."
        refuse(name, "is named as an Excel workbook, but is plain text", do)
    form = text.find_form(name, content)
    return _sheet(name, form.say(), lambda: text.read_rows(name, content, form))


@dataclass(frozen=True, slots=True)
class Table:
    """What is known of a table without its lines."""

    name: str
    about: str
    headings: tuple[str, ...]


def describe_table(name: str, content: Content) -> Table:
    """Look into a file as `open_sheet` does."""
    sheet = open_sheet(name, content)
    return Table(sheet.name, sheet.about, sheet.headings)


def _sheet(name: str, about: str, read: Callable[[], Iterator[Line]]) -> Sheet:
    rows = (line for line in read() if any(line.cells))
    first, second = next(rows, None), next(rows, None)
    if first is None:
        refuse(name, "is empty", _EMPTY)
    if second is None:
        refuse(
            name,
            "has one line only: headings without lines below them, or a line without headings",
            "The first line names the columns; the provider accounts or mappings stand below it.",
        )
    headings = tuple(take_apostrophes(cell).strip() for cell in first.cells)
    return Sheet(name, about, headings, read)


def _refuse_size(name: str, content: Content) -> None:
    if isinstance(content, Path) and content.exists() and not content.is_file():
        refuse(name, "is no file", "Choose a file.")
    if (content.stat().st_size if isinstance(content, Path) else len(content)) > MOST_BYTES:
        refuse(name, f"has more than {MOST_BYTES >> 20:,} MB")


def _refuse_others(name: str, head: bytes) -> None:
    if head.startswith(_OLE):
        refuse(name, "is an Excel workbook of the old kind (.xls), or one with a password", _AS_CSV)
    start = head.lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    is_page = start.startswith((b"<!doctype html", b"<html", b"<table", b"<?xml"))
    what = "a web page or XML" if is_page else next((words for sign, words in _OTHERS if head.startswith(sign)), "")
    if what:
        refuse(name, f"is {what}, not a table", _AS_CSV)
