"""A table of an open document (.ods), row by row. Every cell of it carries the text that it shows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import unescape

from w365.sheets import limits
from w365.sheets.formats import show_plainly
from w365.sheets.limits import refuse, refuse_damaged
from w365.sheets.lines import NO_DOUBTS, Doubt, Line, SheetName
from w365.sheets.markup import Attributes, read_markup
from w365.sheets.package import DOCUMENT, Package

_TABLE = re.compile(rb"<table:table\s([^<>]*)>")
_STYLE = re.compile(
    rb'<style:style\s[^<>]*style:name="([^"]*)"[^<>]*family="table"[^<>]*><style:table-properties([^<>]*)>'
)
_ATTRIBUTE = re.compile(r'([\w:-]+)="([^"]*)"')
_MOST_SHEETS = 1_000
_META, _MAKERS = "meta.xml", (b"<meta:generator>LibreOffice", b"<meta:generator>Collabora")
_HIDDEN = ("collapse", "filter")
_ERROR = re.compile(r"#[A-Z/0]+[!?]?|Err:\d+")
_OF_NUMBER = {
    "date": Doubt.DATE,
    "time": Doubt.DATE,
    "percentage": Doubt.DRESSED,
    "currency": Doubt.DRESSED,
}
_OF_ROW = {"table:table-cell", "table:covered-table-cell"}
_MARKS_OF_CELL = 12
"""Elements that say how the text of one cell looks."""


@dataclass(frozen=True, slots=True)
class Document:
    """A document of which is known which tables it has.

    `is_computed`: LibreOffice wrote it, which computes every formula, and notes no result that is an empty text.
    """

    package: Package
    sheets: tuple[SheetName, ...]
    is_computed: bool

    def rows_of(self, sheet: SheetName) -> Iterator[Line]:
        """Yield every row that shows something."""
        return self._reader_of(sheet).read(self.package)

    def open(self, sheet: SheetName) -> tuple[Callable[[], Iterator[Line]], tuple[int, ...]]:
        reader = self._reader_of(sheet)
        next(reader.read(self.package), None)
        return (lambda: self.rows_of(sheet)), tuple(sorted(reader.hidden))

    def _reader_of(self, sheet: SheetName) -> _Reader:
        return _Reader(self.package.name, self.sheets.index(sheet), is_computed=self.is_computed)


def open_document(package: Package) -> Document:
    hidden = {
        style[1].decode(errors="replace")
        for style in package.find(DOCUMENT, _STYLE, limits.MOST_FORMATS)
        if b'table:display="false"' in style[2]
    }
    tables = [
        dict(_ATTRIBUTE.findall(table[1].decode(errors="replace")))
        for table in package.find(DOCUMENT, _TABLE, _MOST_SHEETS)
    ]
    about = b"".join(package.blocks(_META, limits.MOST_STYLE_BYTES)) if _META in package.parts else b""
    sheets = tuple(_name_sheet(table, place, hidden) for place, table in enumerate(tables))
    return Document(package, sheets, any(maker in about for maker in _MAKERS))


def _name_sheet(table: Mapping[str, str], place: int, hidden: set[str]) -> SheetName:
    name = unescape(table.get("table:name", f"Sheet {place + 1}"), {"&quot;": '"', "&apos;": "'"})
    return SheetName(name, table.get("table:style-name") in hidden)


@dataclass(slots=True)
class _Cell:
    """A cell as it comes: what it is, how often it stands, and its text."""

    kind: str
    times: int
    is_covered: bool
    has_formula: bool
    is_computed: bool
    value: str
    paragraphs: list[str] = field(default_factory=list)

    def show(self) -> tuple[str, Doubt | None]:
        text = "\n".join(self.paragraphs)
        if self.is_covered:
            return text, Doubt.MERGED
        if self.kind == "error" or (self.has_formula and _ERROR.fullmatch(text)):
            return text, Doubt.ERROR
        if self.has_formula and not self.kind and not text:
            return "", None if self.is_computed else Doubt.UNCOMPUTED
        if self.kind == "float":
            return self._show_number(text)
        if self.kind == "boolean":
            return self.value.upper(), None
        return text or self.value, _OF_NUMBER.get(self.kind)

    def _show_number(self, text: str) -> tuple[str, Doubt | None]:
        is_whole = not any(mark in self.value for mark in ".eE")
        try:
            plain, doubt = show_plainly(int(self.value) if is_whole else float(self.value))
        except (ValueError, OverflowError):
            return text, Doubt.UNKNOWN
        if not text or text == plain or doubt:
            return plain, doubt
        return _compare(text, plain)


def _compare(text: str, plain: str) -> tuple[str, Doubt | None]:
    """Give what a cell shows of a number that is written `plain` otherwise."""
    if not any(mark.isdigit() for mark in text):
        return plain, Doubt.CONCEALED
    doubt = next((doubt for pattern, doubt in _SIGNS if pattern.search(text)), None)
    if doubt is None and re.sub(r"\D", "", text).lstrip("0") != re.sub(r"\D", "", plain).lstrip("0"):
        doubt = Doubt.DRESSED
    return text, doubt


_SIGNS = (
    (re.compile(r"\dE[+-]?\d"), Doubt.EXPONENT),
    (re.compile(r"\d\s?/\s?\d"), Doubt.FRACTION),
    (re.compile(r"\d[.,'\s\u00a0\u202f]\d{3}(?!\d)|[%$€£¥]"), Doubt.DRESSED),
)
"""What an office program puts between thousands differs; a number with three decimals looks the same."""


class _Reader:
    """Makes lines of the rows of one table, the one at this place."""

    def __init__(self, name: str, place: int, *, is_computed: bool) -> None:
        self._name, self._wanted, self._table, self._is_computed = name, place, -1, is_computed
        self._depth = self._strays = self._number = self._cells = self._columns = self._length = 0
        self._cell: _Cell | None = None
        self._aside = 0
        self._parts: list[str] = []
        self._texts: list[str] = []
        self._doubts: dict[int, Doubt] = {}
        self._place = 0
        self._row: Attributes = {}
        self._lines: list[tuple[Line, int]] = []
        self.hidden: set[int] = set()

    def read(self, package: Package) -> Iterator[Line]:
        for _ in read_markup(self._name, package.blocks(DOCUMENT), self._start, self._end, self._text):
            for line, times in self._lines:
                for number in range(line.number, line.number + times):
                    yield Line(number, line.cells, line.doubts, line.is_hidden)
            self._lines.clear()
            if self._table > self._wanted:
                return

    # --- what XML brings ---

    def _start(self, tag: str, attributes: Attributes) -> None:
        self._depth += 1
        if tag == "table:table":
            self._table += 1
        elif self._table != self._wanted:
            return
        elif tag in _OF_ROW and not self._aside:
            self._start_cell(tag, attributes)
        elif tag == "table:table-row" and not self._aside:
            self._start_row(attributes)
        elif self._cell:
            self._start_in_cell(tag, attributes)
        elif tag == "table:table-column":
            self._note_column(attributes)
        self._count()

    def _count(self) -> None:
        self._strays += 1
        if self._strays > limits.MOST_STRAYS + _MARKS_OF_CELL * self._cells or self._depth > limits.DEEPEST:
            refuse_damaged(self._name, "its table holds something else than cells")

    def _start_cell(self, tag: str, attributes: Attributes) -> None:
        self._cells += 1
        kind = attributes.get("calcext:value-type", "")
        kind = kind if kind == "error" else attributes.get("office:value-type", "")
        value = next((attributes[name] for name in _VALUES if name in attributes), "")
        times = _read_times(self._name, attributes, "table:number-columns-repeated")
        is_covered = tag.startswith("table:covered")
        self._cell = _Cell(kind, times, is_covered, "table:formula" in attributes, self._is_computed, value)

    def _start_row(self, attributes: Attributes) -> None:
        self._row = attributes
        self._place = 0

    def _start_in_cell(self, tag: str, attributes: Attributes) -> None:
        if self._aside or tag in _ASIDE:
            self._aside += 1
        elif tag == "text:s":
            self._put(" " * min(_read_times(self._name, attributes, "text:c"), limits.LONGEST_CELL + 1))
        elif tag in _BREAKS:
            self._put(_BREAKS[tag])

    def _note_column(self, attributes: Attributes) -> None:
        times = _read_times(self._name, attributes, "table:number-columns-repeated")
        if attributes.get("table:visibility") in _HIDDEN:
            self.hidden.update(range(self._columns, min(self._columns + times, limits.MOST_COLUMNS)))
        self._columns += times

    def _end(self, tag: str) -> None:
        self._depth -= 1
        if tag == "table:table" and self._table == self._wanted:
            self._table += 1
        elif self._aside:
            self._aside -= 1
        elif self._cell and tag == "text:p":
            self._cell.paragraphs.append("".join(self._parts))
            self._parts.clear()
        elif self._cell and tag in _OF_ROW:
            self._end_cell(self._cell)
        elif tag == "table:table-row" and self._table == self._wanted:
            self._end_row()

    def _text(self, part: str) -> None:
        if self._cell and not self._aside:
            self._put(part)

    def _put(self, part: str) -> None:
        self._parts.append(part)
        self._length += len(part)
        if self._length > limits.LONGEST_CELL:
            refuse(self._name, f"has a cell of more than {limits.LONGEST_CELL:,} characters")

    # --- what it means ---

    def _end_cell(self, cell: _Cell) -> None:
        text, doubt = cell.show()
        if text or doubt:
            self._note_cell(text, doubt, cell)
        self._place += cell.times
        self._cell, self._length = None, 0
        self._parts.clear()

    def _note_cell(self, text: str, doubt: Doubt | None, cell: _Cell) -> None:
        times = cell.times
        if self._place + times > limits.MOST_COLUMNS:
            if not text:
                return
            refuse(self._name, f"has more than {limits.MOST_COLUMNS:,} columns")
        self._texts.extend([""] * (self._place - len(self._texts)) + [text] * times)
        if doubt:
            self._doubts.update(dict.fromkeys(range(self._place, self._place + times), doubt))

    def _end_row(self) -> None:
        times = _read_times(self._name, self._row, "table:number-rows-repeated")
        self._cells += len(self._texts) * (times - 1)
        if any(self._texts) or any(doubt is not Doubt.MERGED for doubt in self._doubts.values()):
            self._keep_row(times)
        self._number += times
        self._texts.clear()
        self._doubts.clear()

    def _keep_row(self, times: int) -> None:
        if self._number + times > limits.MOST_ROWS:
            refuse(self._name, f"has a row {self._number + times:,}; a sheet has {limits.MOST_ROWS:,} at most")
        if self._cells > limits.MOST_CELLS:
            refuse(self._name, f"has more than {limits.MOST_CELLS:,} cells")
        is_hidden = self._row.get("table:visibility") in _HIDDEN
        doubts = dict(self._doubts) if self._doubts else NO_DOUBTS
        self._lines.append((Line(self._number + 1, tuple(self._texts), doubts, is_hidden), times))


_VALUES = ("office:value", "office:date-value", "office:time-value", "office:boolean-value", "office:string-value")
_ASIDE = {"office:annotation", "draw:frame", "draw:custom-shape", "table:table", "text:ruby-text"}
"""What stands in a cell and is not its text: comments, drawings, how a word is spoken."""

_BREAKS = {"text:tab": "\t", "text:line-break": "\n"}


def _read_times(name: str, attributes: Attributes, of: str) -> int:
    times = attributes.get(of, "1")
    if not (times.isascii() and times.isdigit() and int(times[:9]) > 0 and len(times) < 10):
        refuse_damaged(name, f"it repeats something “{times[:9]}” times")
    return int(times)
