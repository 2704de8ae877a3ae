"""The first sheet of an Excel workbook, row by row, every value as the text that a person would have typed.

Only what is looked at is unpacked, and nothing of it stays in memory but a row and which formats say dates.
"""

from __future__ import annotations

import datetime as dt
import posixpath
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from w365.sheets import formats, limits
from w365.sheets.limits import refuse, refuse_damaged
from w365.sheets.lines import Content, Line
from w365.sheets.markup import Attributes, read_elements
from w365.sheets.package import WORKBOOK, Package, open_package
from w365.sheets.rows import RowReader
from w365.sheets.texts import Texts, refuse_texts

_LINKS = "xl/_rels/workbook.xml.rels"


@dataclass(frozen=True, slots=True)
class Workbook:
    """A workbook of which is known how much it holds."""

    package: Package
    sheet: str | None
    texts: Texts
    formats: bytes
    since: dt.datetime

    def rows(self) -> Iterator[Line]:
        """Yield every row that has a text, headings included."""
        if self.sheet is not None:
            reader = RowReader(self.package.name, self.texts, self.formats, self.since)
            with _told(self.package.name):
                yield from reader.read(self.package.blocks(self.sheet))


def open_workbook(name: str, content: Content) -> Workbook:
    """Open a workbook whose rows, cells and texts were counted first; InputError for whatever cannot be read."""
    package = open_package(name, content)
    with _told(name):
        sheet, linked, since = _find_parts(package)
        _count(package, sheet, linked.get("sharedStrings"))
        texts = Texts(package, linked.get("sharedStrings"))
        return Workbook(package, sheet, texts, formats.read_formats(package, linked.get("styles")), since)


def _count(package: Package, sheet: str | None, texts: str | None) -> None:
    counted = package.count(sheet, b"<row", b"<c ", b"<c>") if sheet else {}
    if counted.get(b"<row", 0) > limits.MOST_ROWS:
        refuse(package.name, f"has more than {limits.MOST_ROWS:,} rows")
    if counted.get(b"<c ", 0) + counted.get(b"<c>", 0) > limits.MOST_CELLS:
        refuse(package.name, f"has more than {limits.MOST_CELLS:,} cells")
    if texts and package.count(texts, b"<si")[b"<si"] > limits.MOST_TEXTS:
        refuse_texts(package.name)


def _find_parts(package: Package) -> tuple[str | None, Mapping[str, str], dt.datetime]:
    """Find the first sheet that has cells, the other parts by what they are, and the day that dates count from."""
    kinds: dict[str, str] = {}
    targets: dict[str, str] = {}
    if _LINKS in package.parts:
        for word, _, attributes in read_elements(package.name, package.blocks(_LINKS, limits.MOST_STYLE_BYTES)):
            if word == "Relationship":
                kinds[attributes["Id"]] = posixpath.basename(attributes["Type"])
                targets[attributes["Id"]] = posixpath.normpath(posixpath.join("/xl", attributes["Target"]))[1:]
    linked = {kind: targets[link] for link, kind in kinds.items() if targets[link] in package.parts}
    sheet, since = None, formats.SINCE_1900
    for word, _, attributes in read_elements(package.name, package.blocks(WORKBOOK, limits.MOST_STYLE_BYTES)):
        if word == "workbookPr" and attributes.get("date1904") in ("1", "true"):
            since = formats.SINCE_1904
        if word == "sheet" and kinds.get(link := _link_of(attributes)) == "worksheet":
            sheet = sheet or targets[link]
    return sheet, linked, since


def _link_of(attributes: Attributes) -> str:
    return next((value for name, value in attributes.items() if name.endswith(":id")), "")


@contextmanager
def _told(name: str) -> Iterator[None]:
    """What a number, a date or a reference in a damaged workbook raises."""
    try:
        yield
    except (KeyError, ValueError, OverflowError):
        refuse_damaged(name)
