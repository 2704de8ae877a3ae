"""Templates of the files that can be imported: the headings, and in Excel a second sheet that explains them."""

from __future__ import annotations

import io
from collections.abc import Sequence

import xlsxwriter

from w365.service.exporting import MEDIA_TYPES, File, Format
from w365.service.exporting.text_files import csv_bytes
from w365.sheets import Field


def make_template(name: str, fields: Sequence[Field], form: Format) -> File:
    """Make an empty file with the headings that are understood without choosing columns."""
    content = csv_bytes([field.label for field in fields]) if form is Format.CSV else _xlsx(name, fields)
    return File(f"w365-{name.lower().replace(' ', '-')}-template.{form}", MEDIA_TYPES[form], content)


def _xlsx(name: str, fields: Sequence[Field]) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        bold, text = book.add_format({"bold": True}), book.add_format({"num_format": "@"})
        sheet, about = book.add_worksheet(name.capitalize()), book.add_worksheet("How to fill in")
        for place, field in enumerate(fields):
            # Cells that are text keep ids as they are typed: no lost zeros, no exponents.
            sheet.set_column(place, place, max(len(field.label) + 2, 16), text)
            sheet.write(0, place, field.label, bold)
            about.write_row(place + 1, 0, (field.label, "yes" if field.is_needed else "", field.about))
        about.write_row(0, 0, ("Column", "Needed", "What it says"), bold)
        about.set_column(0, 0, 32)
        about.set_column(2, 2, 90)
        sheet.freeze_panes(1, 0)
    return buffer.getvalue()
