"""Templates of files to import: the headings, and in Excel checked cells and a sheet that explains them."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import xlsxwriter

from w365.service.exporting import MEDIA_TYPES, File, Format
from w365.service.exporting.text_files import csv_bytes
from w365.sheets import Field

_CHECKED_ROWS = 100_000
_LONGEST_TITLE, _LONGEST_MESSAGE = 32, 255
"""Of what Excel shows at a cell."""


def make_template(name: str, fields: Sequence[Field], form: Format) -> File:
    """Make an empty file with the headings that are understood without choosing columns."""
    content = csv_bytes([field.label for field in fields]) if form is Format.CSV else _xlsx(name, fields)
    return File(f"w365-{name.lower().replace(' ', '-')}-template.{form}", MEDIA_TYPES[form], content)


def _xlsx(name: str, fields: Sequence[Field]) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"strings_to_numbers": False}) as book:
        bold, text = book.add_format({"bold": True}), book.add_format({"num_format": "@"})
        sheet, about = book.add_worksheet(name.capitalize()), book.add_worksheet("How to fill in")
        for place, field in enumerate(fields):
            # Cells that are text keep ids as they are typed: no lost zeros, no exponents.
            form = None if field.is_amount else text
            sheet.set_column(place, place, max(len(field.label) + 2, 16), form)
            sheet.write(0, place, field.label, bold)
            sheet.data_validation(1, place, _CHECKED_ROWS, place, _check_of(field))
            needed = "yes" if field.is_needed else ""
            for column, word in enumerate((field.label, needed, field.about, *field.examples)):
                about.write_string(place + 1, column, word)
        about.write_row(0, 0, ("Column", "Needed", "What it says", "Example", "Another example"), bold)
        for first, last, width in ((0, 0, 32), (2, 2, 90), (3, 4, 42)):
            about.set_column(first, last, width)
        sheet.freeze_panes(1, 0)
    return buffer.getvalue()


def _check_of(field: Field) -> Mapping[str, Any]:
    """What Excel checks when a cell is typed in, and says at it."""
    least, most = field.bounds
    what = "A whole number from" if field.is_amount else "Characters: from"
    return {
        "validate": "integer" if field.is_amount else "length",
        "criteria": "between",
        "minimum": max(least, int(field.is_needed)) if not field.is_amount else least,
        "maximum": most,
        "ignore_blank": True,
        "input_title": field.label[:_LONGEST_TITLE],
        "input_message": f"{field.about}."[:_LONGEST_MESSAGE],
        "error_title": field.label[:_LONGEST_TITLE],
        "error_message": f"{what} {least:,} to {most:,}. {field.about}."[:_LONGEST_MESSAGE],
    }
