"""Files as people hand them in."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import xlsxwriter

from w365.sheets import Sheet, open_sheet


def csv_of(*lines: Sequence[object], separator: str = ",", encoding: str = "utf-8") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(lines)
    return text.getvalue().encode(encoding)


def csv_sheet(*lines: Sequence[object]) -> Sheet:
    return open_sheet("list.csv", csv_of(*lines))


def xlsx_of(*lines: Sequence[object]) -> bytes:
    """A workbook whose texts are texts, whatever they look like, and whose numbers and dates are such."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        sheet = book.add_worksheet()
        for row, cells in enumerate(lines):
            for column, cell in enumerate(cells):
                if hasattr(cell, "year"):
                    sheet.write_datetime(row, column, cell, day)
                else:
                    sheet.write(row, column, cell)
    return buffer.getvalue()
