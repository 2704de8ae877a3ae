"""How much a file may hold. What is beyond is refused by counting it, before anything is made of it.

All are far above what people have: 100,000 lines of 30 columns are a tenth to a third of each.
"""

from __future__ import annotations

from typing import NoReturn

from w365.errors import InputError

MOST_ROWS = 1_048_576
"""As many as a sheet of Excel has."""

MOST_COLUMNS = 1_000
MOST_CELLS = 20_000_000
LONGEST_CELL = 1 << 17
"""Characters; Excel's longest has a quarter of that."""

MOST_CHARACTERS = 1 << 28
"""Of all cells, however often one text of the file stands in them."""

LONGEST_LINE = 1 << 21
"""Characters of one line of a table as text, with the line breaks inside its quoted cells."""

MOST_LINES = 4 * MOST_ROWS
"""Lines of text of a CSV file, of which quoted cells may hold several."""

MOST_TEXTS = 3_500_000
"""Entries of the list in which a workbook keeps its texts, each once."""

MOST_BYTES = 1 << 30
"""Of a text file, or of a part of a workbook once it is unpacked."""

MOST_UPLOAD_BYTES = 100 << 20
"""Of a file on the page: `server.maxUploadSize` is the same in MB, and what a proxy has to let through."""

MOST_STYLE_BYTES = 1 << 25
"""Of the parts of a workbook that are not tables."""

MOST_FORMATS = 1 << 16
"""Formats of cells in a workbook, as many as Excel allows."""

MOST_PARTS = 1_000
"""Files in a workbook, which is an archive; a sheet is one or two."""

MOST_MERGED = 10_000
"""Merged areas of a sheet."""

MOST_SIGNATURES = 10 * MOST_PARTS
"""Headers of such files that are counted before the archive's directory is read into memory."""

MOST_TIMES, FREE_BYTES = 100, 1 << 24
"""Tables shrink to a tenth when they are packed, empty ones to a fiftieth. What unpacks to more than 16 MB and to more
than a hundred times its size was made to fill a memory (the ratio at which Apache POI stops too)."""

LONGEST_TAG, DEEPEST, MOST_NAMES, MOST_STRAYS = 1 << 20, 64, 5_000, 1_000_000
"""Of XML: bytes of a tag, depth, different names, and elements in a table that are none of its rows, cells or texts,
beside the formula that each cell may have."""

KEPT = "Nothing was read."
_SPLIT = "Save the lines that are to be imported as a file of their own, or as several."


def refuse(name: str, what: str, do: str = _SPLIT) -> NoReturn:
    raise InputError(f"{name} {what}.", kept=KEPT, do=do)


def refuse_damaged(name: str, why: str = "") -> NoReturn:
    raise InputError(
        f"{name} is damaged: it cannot be read as a workbook{f' ({why})' if why else ''}.",
        kept=KEPT,
        do="Open it in the program it comes from, save it again and choose it anew.",
    )
