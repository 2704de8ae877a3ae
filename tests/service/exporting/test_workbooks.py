"""A workbook at the edges of what Excel holds, read by another program."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any, BinaryIO, cast

import openpyxl
from openpyxl.utils.escape import unescape

from w365.service.exporting.subjects import COLUMNS, Subject
from w365.service.exporting.workbooks import write_workbook


def record(number: int, **values: Any) -> dict[str, Any]:
    usual: dict[str, Any] = dict.fromkeys(COLUMNS[Subject.MAPPINGS], "x")
    usual |= {"seats": number, "subscriptions": 1, "gone": False, "mapped_at": None}
    return usual | {"first_seen": dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)} | values


def written(records: list[dict[str, Any]], most_rows: int) -> openpyxl.Workbook:
    file = io.BytesIO()
    assert write_workbook(file, [(Subject.MAPPINGS, records)], most_rows) == len(records)
    return openpyxl.load_workbook(file)


def test_what_a_sheet_cannot_hold_goes_on_in_the_next_with_its_own_header() -> None:
    book = written([record(number) for number in range(450)], 201)
    assert book.sheetnames == ["Mappings", "Mappings 2", "Mappings 3", "Definitions"]
    seats: list[object] = []
    for sheet in book.worksheets[:3]:
        header, *rows = sheet.iter_rows(values_only=True)
        assert header[0] == "provider"
        assert sheet.freeze_panes == "A2"
        assert sheet.auto_filter.ref == f"A1:{sheet.cell(len(rows) + 1, len(header)).coordinate}"
        seats += [row[header.index("seats")] for row in rows]
    assert seats == list(range(450))


def test_a_full_last_sheet_is_not_followed_by_an_empty_one() -> None:
    assert written([record(number) for number in range(402)], 201).sheetnames[:3] == [
        "Mappings",
        "Mappings 2",
        "Definitions",
    ]


def test_the_file_is_only_appended_to() -> None:
    class Sent(io.RawIOBase):
        """Takes what comes, as a connection does."""

        content = b""

        def writable(self) -> bool:
            return True

        def write(self, part: object) -> int:
            assert isinstance(part, bytes)
            self.content += part
            return len(part)

    sent = Sent()
    assert write_workbook(cast("BinaryIO", sent), [(Subject.MAPPINGS, [record(0), record(1)])]) == 2
    assert openpyxl.load_workbook(io.BytesIO(sent.content))["Mappings"].max_row == 3


def test_texts_stay_texts_and_what_is_too_long_is_cut_and_not_left_out() -> None:
    names = [
        "=1+1",
        "https://x.example",
        "0123",
        "2026-01-01",
        "TRUE",
        "a" * 40_000,
        "株式会社\x07 <&> _x0041_ _x",
        " kept\n ",
        "y" * 32_767,
    ]
    sheet = written([record(0, provider_name=name) for name in names], 10).worksheets[0]
    found = [sheet.cell(row, 3) for row in range(2, 2 + len(names))]
    assert {cell.data_type for cell in found} == {"s"}
    assert [cell.hyperlink for cell in found] == [None] * len(names)
    assert [cell.value for cell in found[:5]] == ["'=1+1", *names[1:5]]
    assert len(str(found[5].value)) == 32_767
    assert [unescape(str(cell.value)) for cell in found[6:]] == names[6:]
    assert sheet.cell(2, 14).value == dt.datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001 - Excel knows no zones
