"""The lines of a data folder's CSV files, each with its place, and the refusal of one that is wrong."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from w365.errors import InputError

File = Path | zipfile.Path
"""A data folder, or a file of one; either may lie in an archive."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that a file must have, of which the first is never empty, and those that it may have."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


def read_lines(file: File, columns: Columns) -> Iterator[tuple[str, dict[str, str]]]:
    """Read a CSV file with a header: the place of each line, such as ``line 3``, and its values by column.

    Raises InputError naming file and line of the first thing that is wrong.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            lines = csv.reader(text, strict=True)
            read = _make_line_reader(file.name, next(lines, []), columns)
            for cells in lines:
                if cells:
                    place = f"line {lines.line_num}"
                    yield place, read(place, cells)
    except UnicodeDecodeError:
        raise refuse_line(file.name, "line 1 or later", "is not UTF-8 text") from None
    except csv.Error as error:
        raise refuse_line(file.name, f"line {lines.line_num}", f"is not valid CSV ({error})") from None


def refuse_line(file: str, place: str, reason: str) -> InputError:
    return InputError(f"{file}, {place}, {reason}.", kept="Nothing was served.", do="Correct the file and start again.")


def _make_line_reader(file: str, header: list[str], columns: Columns) -> Callable[[str, list[str]], dict[str, str]]:
    if missing := [column for column in columns.required if column not in header]:
        raise refuse_line(file, "line 1", f"lacks the column {', '.join(missing)}")
    # What is not there is read from an empty cell behind the last.
    places = {
        column: header.index(column) if column in header else len(header)
        for column in columns.required + columns.optional
    }
    first = columns.required[0]

    def read(place: str, cells: list[str]) -> dict[str, str]:
        if len(cells) != len(header):
            raise refuse_line(file, place, f"has {len(cells)} cells where the header has {len(header)}")
        if not cells[places[first]].strip():
            raise refuse_line(file, place, f"has no {first}")
        cells.append("")
        return {column: cells[position] for column, position in places.items()}

    return read
