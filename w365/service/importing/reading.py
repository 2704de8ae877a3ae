"""What an import takes from the lines of a file, read to the end before its transaction begins."""

from __future__ import annotations

import pickle
import re
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from w365.sheets import Field, Line, Places, Sheet
from w365.sheets.columns import letter
from w365.sheets.lines import Doubt

T = TypeVar("T")

_ERROR_VALUE = re.compile(r"#(?:[A-ZÀ-ÿ¡]{2,}[!?]|N/A|NV|N/D|DIV/0!|GETTING_DATA)|Err:\d{3}|Loading\.\.\.")
"""What Excel, LibreOffice and Google write into text files for a cell without a result, in several languages."""

_SHORTENED = re.compile(r"-?\d(?:[.,]\d+)?E[+-]?\d+", re.IGNORECASE)
_MONTH = r"(?:Jan|Feb|Mar|Mär|Mrz|Apr|Mai|May|Jun|Jul|Aug|Sep|Sept|Okt|Oct|Nov|Dez|Dec)"
_DATE = re.compile(
    rf"\d{{1,2}}[-. ]{{1,2}}{_MONTH}\.?(?:[- ]\d{{2,4}})?|{_MONTH}\.?[- ]\d{{2,4}}"
    r"|(?:0?[1-9]|[12]\d|3[01])([./])(?:0?[1-9]|[12]\d|3[01])\1(?:19|20)\d\d"
    r"|(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?:[ T]00:00(?::00)?)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class LineTexts:
    """A line by the names of its fields; one that it does not have at all is not in `texts`.

    `doubts` say of fields why their text is not to be taken; `surplus`: cells under no heading, of all there are.
    """

    number: int
    texts: Mapping[str, str]
    doubts: Mapping[str, str]
    surplus: int = 0
    is_hidden: bool = False


def read_texts(sheet: Sheet, fields: Sequence[Field], places: Places) -> Iterator[LineTexts]:
    """Read what the lines say of the fields that have a column."""
    width = len(sheet.headings)
    amounts = {field.name for field in fields if field.is_amount}
    for line in sheet.lines():
        texts = {name: line.cell(place) for name, place in places.items() if line.has(place)}
        doubts = {name: why for name in texts if (why := _doubt(line, places[name], is_amount=name in amounts))}
        if sheet.fills:
            doubts = {name: f"cell {letter(places[name])}{line.number} {why}" for name, why in doubts.items()}
        surplus = len(line.cells) if any(line.cells[width:]) else 0
        yield LineTexts(line.number, texts, doubts, surplus, line.is_hidden)


def _doubt(line: Line, place: int, *, is_amount: bool) -> str:
    doubt = line.doubts.get(place)
    if doubt is None:
        return Doubt.ERROR.value if _ERROR_VALUE.fullmatch(line.cell(place)) else ""
    return "" if is_amount and doubt.is_of_number else doubt.value


def find_damage(text: str) -> str:
    """Say what a spreadsheet may have made of an id that is text; "" for nothing."""
    if _SHORTENED.fullmatch(text):
        return Doubt.EXPONENT.value
    return Doubt.DATE.value if _DATE.fullmatch(text) else ""


class Spool(Generic[T]):
    """Lists that wait in a file without a name, so that they take no memory."""

    def __init__(self, parts: Iterable[Sequence[T]]) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as this lives
        weakref.finalize(self, self._file.close)
        for part in parts:
            pickle.dump(part, self._file, pickle.HIGHEST_PROTOCOL)

    def __iter__(self) -> Iterator[Sequence[T]]:
        self._file.seek(0)
        while True:
            try:
                yield pickle.load(self._file)  # noqa: S301 - we wrote it, and nobody else can
            except EOFError:
                return
