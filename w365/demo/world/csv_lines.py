"""The lines of a data folder's CSV files, each with its place, and the refusal of one that is wrong."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from w365.errors import InputError

File = Path | zipfile.Path
"""A data folder, or a file of one; either may lie in an archive."""

Line = tuple[str, dict[str, str]]
"""The place, such as ``line 3``, and the values by column."""


def read_lines(file: File, columns: Sequence[str], optional: Sequence[str] = ()) -> Iterator[Line]:
    """Read a CSV file with a header. The first column must not be empty; a missing optional one is empty everywhere.

    Raises InputError naming file and line of the first thing that is wrong.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            reader = csv.reader(text, strict=True)
            read = _line_reader(file.name, next(reader, []), columns, optional)
            for cells in reader:
                if cells:
                    place = f"line {reader.line_num}"
                    yield place, read(place, cells)
    except UnicodeDecodeError:
        raise refuse_line(file.name, "line 1 or later", "is not UTF-8 text") from None
    except csv.Error as error:
        raise refuse_line(file.name, f"line {reader.line_num}", f"is not valid CSV ({error})") from None


def refuse_line(name: str, place: str, what: str) -> InputError:
    return InputError(f"{name}, {place}, {what}.", kept="Nothing was served.", do="Correct the file and start again.")


def _line_reader(
    file: str, header: list[str], columns: Sequence[str], optional: Sequence[str]
) -> Callable[[str, list[str]], dict[str, str]]:
    if missing := [column for column in columns if column not in header]:
        raise refuse_line(file, "line 1", f"lacks the column {', '.join(missing)}")
    # What is not there is read from an empty cell behind the last.
    positions = {name: header.index(name) if name in header else len(header) for name in (*columns, *optional)}

    def read(place: str, cells: list[str]) -> dict[str, str]:
        if len(cells) != len(header):
            raise refuse_line(file, place, f"has {len(cells)} cells where the header has {len(header)}")
        if not cells[positions[columns[0]]].strip():
            raise refuse_line(file, place, f"has no {columns[0]}")
        cells.append("")
        return {column: cells[position] for column, position in positions.items()}

    return read
