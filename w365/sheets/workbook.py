"""A sheet of an Excel workbook, row by row, every value as the text that it shows.

Only what is looked at is unpacked, and nothing of it stays in memory but a row, the formats and the merged cells.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from w365.sheets import formats, limits
from w365.sheets.limits import refuse, refuse_damaged
from w365.sheets.lines import Line, SheetName
from w365.sheets.markup import Attributes, read_elements
from w365.sheets.merged import Area, mark_merged, read_area
from w365.sheets.package import WORKBOOK, Package
from w365.sheets.rows import Meaning, RowReader
from w365.sheets.texts import Texts, refuse_texts

_LINKS = "xl/_rels/workbook.xml.rels"
_MERGED = re.compile(rb'mergeCell\s[^<>]*?ref="([A-Z]{1,3}[0-9]{1,7}:[A-Z]{1,3}[0-9]{1,7})"')
_HIDDEN_COLUMNS = re.compile(rb"<(?:\w+:)?col\s[^<>]*>")
_EMPTY_CELL = re.compile(rb'<c r="[A-Z]{1,3}[0-9]{1,7}"[^<>]*/>')
_EMPTY_ROW = re.compile(rb'<row r="[0-9]{1,7}"[^<>]*(?:/>|></row>)')
_ESCAPE = b"<!"
"""Begins a comment, or text in which a tag is none."""

OpenSheet = tuple[Callable[[], Iterator[Line]], tuple[int, ...]]
"""What reads the rows of a sheet, and the places of its hidden columns."""


@dataclass(frozen=True, slots=True)
class Workbook:
    """A workbook of which is known what it holds: `sheets` with the parts that they lie in."""

    package: Package
    sheets: Mapping[SheetName, str]
    meaning: Meaning

    def rows_of(self, sheet: SheetName) -> Iterator[Line]:
        """Yield every row that shows something."""
        reader = RowReader(self.package.name, self.meaning)
        with _told(self.package.name):
            yield from reader.read(_without_empty_cells(self.package.blocks(self.sheets[sheet])))

    def open(self, sheet: SheetName) -> OpenSheet:
        """Open a sheet whose rows and cells were counted first."""
        with _told(self.package.name):
            areas = _count(self.package, self.sheets[sheet])
            hidden = _find_hidden_columns(self.package, self.sheets[sheet])
        return (lambda: mark_merged(self.package.name, self.rows_of(sheet), areas)), hidden


def open_workbook(package: Package) -> Workbook:
    """Open a workbook whose texts were counted first; InputError for whatever cannot be read."""
    with _told(package.name):
        sheets, linked, meant = _find_parts(package)
        part = linked.get("sharedStrings")
        if part and package.count(part, b"<si")[b"<si"] > limits.MOST_TEXTS:
            refuse_texts(package.name)
        shown = formats.read_formats(package, linked.get("styles"))
        return Workbook(package, sheets, replace(meant, texts=Texts(package, part), formats=shown))


def _count(package: Package, sheet: str) -> Sequence[Area]:
    counted = package.count(sheet, b"<row", b"<c ", b"<c>", b"mergeCell ")
    if counted[b"<row"] > limits.MOST_ROWS:
        refuse(package.name, f"has more than {limits.MOST_ROWS:,} rows")
    if counted[b"<c "] + counted[b"<c>"] > limits.MOST_CELLS:
        refuse(package.name, f"has more than {limits.MOST_CELLS:,} cells")
    if not counted[b"mergeCell "]:
        return ()
    return [read_area(match[1].decode()) for match in package.find(sheet, _MERGED, limits.MOST_MERGED)]


def _find_hidden_columns(package: Package, sheet: str) -> tuple[int, ...]:
    """Find the places of hidden columns, which stand before the rows."""
    head = next(package.blocks(sheet), b"").partition(b"sheetData")[0]
    places: set[int] = set()
    for column in _HIDDEN_COLUMNS.findall(head):
        values = dict(re.findall(rb'(\w+)="([^"]*)"', column))
        if values.get(b"hidden") in (b"1", b"true"):
            last = min(int(values[b"max"]), limits.MOST_COLUMNS)
            places.update(range(int(values[b"min"]) - 1, last))
    return tuple(sorted(places))


def _without_empty_cells(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Leave out cells and rows that have a format and nothing else: they are as many as a person formatted."""
    before, is_plain = b"", True
    for block in blocks:
        whole = before + block
        is_plain = is_plain and _ESCAPE not in whole and len(before) < len(block) * 2
        if not is_plain:
            before = b""
            yield whole
            continue
        cut = max(whole.rfind(b"<row "), 0)
        before = whole[cut:]
        if cut:
            yield _EMPTY_ROW.sub(b"", _EMPTY_CELL.sub(b"", whole[:cut]))
    yield before


def _find_parts(package: Package) -> tuple[Mapping[SheetName, str], Mapping[str, str], Meaning]:
    """Find the sheets that have cells, the other parts by what they are, and what the workbook says of all cells."""
    kinds: dict[str, str] = {}
    targets: dict[str, str] = {}
    if _LINKS in package.parts:
        for word, _, attributes in read_elements(package.name, package.blocks(_LINKS, limits.MOST_STYLE_BYTES)):
            if word == "Relationship":
                kinds[attributes["Id"]] = posixpath.basename(attributes["Type"])
                targets[attributes["Id"]] = posixpath.normpath(posixpath.join("/xl", attributes["Target"]))[1:]
    linked = {kind: targets[link] for link, kind in kinds.items() if targets[link] in package.parts}
    sheets: dict[SheetName, str] = {}
    meant = Meaning((), (), formats.SINCE_1900)
    for word, _, attributes in read_elements(package.name, package.blocks(WORKBOOK, limits.MOST_STYLE_BYTES)):
        if word == "workbookPr" and _is_on(attributes, "date1904"):
            meant = replace(meant, since=formats.SINCE_1904)
        if word == "calcPr" and _is_on(attributes, "fullCalcOnLoad"):
            meant = replace(meant, is_uncomputed=True)
        if word == "sheet" and kinds.get(link := _link_of(attributes)) == "worksheet":
            name = SheetName(attributes.get("name", f"Sheet {len(sheets) + 1}"), _is_concealed(attributes))
            sheets[name] = targets[link]
    return sheets, linked, meant


def _is_on(attributes: Attributes, name: str) -> bool:
    return attributes.get(name) in ("1", "true", "on")


def _is_concealed(attributes: Attributes) -> bool:
    return attributes.get("state", "visible") != "visible"


def _link_of(attributes: Attributes) -> str:
    return next((value for name, value in attributes.items() if name.endswith(":id")), "")


@contextmanager
def _told(name: str) -> Iterator[None]:
    """What a number, a date or a reference in a damaged workbook raises."""
    try:
        yield
    except (LookupError, ValueError, OverflowError, TypeError, AttributeError):
        refuse_damaged(name)
