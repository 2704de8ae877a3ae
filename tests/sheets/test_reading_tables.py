"""Tables as people hand them in: what was written is what is read, and what is no table is told in a sentence."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from service.import_files import csv_of, xlsx_of

from w365.errors import InputError
from w365.service.exporting.cells import safe_cell
from w365.service.syncing.manual_rows import FIELDS
from w365.sheets import guess_columns, open_sheet
from w365.sheets.columns import letter, name_columns
from w365.sheets.formats import show_plainly
from w365.sheets.lines import take_apostrophes

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("\n\"',;\t=-é€"), max_size=12)
ROWS = st.lists(st.lists(TEXT, min_size=2, max_size=2).filter(any), min_size=1, max_size=6)


def read(name: str, content: bytes | Path) -> list[tuple[str, ...]]:
    return [line.cells for line in open_sheet(name, content).lines()]


@given(rows=ROWS, separator=st.sampled_from(",;\t"), encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_every_text_comes_back_from_csv_as_our_downloads_write_it(
    rows: list[list[str]], separator: str, encoding: str
) -> None:
    quoted = [[safe_cell(cell) for cell in row] for row in rows]
    content = csv_of(("id", "name"), *quoted, separator=separator, encoding=encoding)
    assert open_sheet("a.csv", content).headings == ("id", "name")
    assert read("a.csv", content) == [tuple(row) for row in rows]


@given(rows=ROWS)
@settings(max_examples=40)
def test_every_text_comes_back_from_excel_as_our_downloads_write_it(rows: list[list[str]]) -> None:
    quoted = [[safe_cell(cell) for cell in row] for row in rows]
    assert [(*row, "", "")[:2] for row in read("a.xlsx", xlsx_of(("id", "name"), *quoted))] == [
        tuple(row) for row in rows
    ]


@given(text=st.text("'=-x\t\n;", max_size=6))
def test_the_apostrophes_of_a_download_are_taken_back(text: str) -> None:
    assert take_apostrophes(str(safe_cell(text))) == text


def test_a_file_of_the_old_windows_is_read() -> None:
    sheet = open_sheet("a.csv", "Id;Name\r\n1;Bäckerei „Süß“ – 5 €\r\n".encode("cp1252"))
    assert [line.cells for line in sheet.lines()] == [("1", "Bäckerei „Süß“ – 5 €")]
    assert sheet.table.about == "CSV, Windows-1252, separated by semicolons"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_its_mark_is_read(encoding: str) -> None:
    assert read("a.txt", "Id\tName\n1\tÅnt\n".encode(encoding)) == [("1", "Ånt")]


def test_excels_own_first_line_names_the_separator_and_lines_keep_their_numbers() -> None:
    sheet = open_sheet("a.csv", b'sep=;\r\nId;Name\r\n1;"two\r\nlines, and ""quotes"""\r\n\r\n;;\r\n2;b\r\n')
    assert sheet.headings == ("Id", "Name")
    assert [(line.number, line.cells) for line in sheet.lines()] == [
        (3, ("1", 'two\r\nlines, and "quotes"')),
        (7, ("2", "b")),
    ]


def test_a_separator_inside_quoted_headings_does_not_count() -> None:
    assert open_sheet("a.csv", b'"a, b, c";"d"\n1;2\n').headings == ("a, b, c", "d")


def test_what_excel_keeps_as_numbers_and_dates_is_read_as_it_was_typed(tmp_path: Path) -> None:
    row = (
        1042.0,
        3.5,
        12345678901234567890,
        dt.datetime(2026, 3, 1, tzinfo=dt.UTC).replace(tzinfo=None),
        True,
        "=1+1",
        None,
        "x",
    )
    path = tmp_path / "a.xlsx"
    path.write_bytes(xlsx_of(("a", "b", "c", "d", "e", "f", "g", "h"), row))
    assert read("a.xlsx", path) == [("1042", "3.5", "1.23457E+19", "2026-03-01", "TRUE", "=1+1", "", "x")]


@pytest.mark.parametrize(("value", "wanted"), [(1042.0, "1042"), (-3.0, "-3"), (0.5, "0.5"), (1e15, "1.00000E+15")])
def test_a_number_of_excel_is_written_as_a_person_would(value: float, wanted: str) -> None:
    assert show_plainly(value)[0] == wanted


def zipped(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return buffer.getvalue()


def spoiled(workbook: bytes) -> bytes:
    """Damage what is compressed of the first sheet."""
    sheet = zipfile.ZipFile(io.BytesIO(workbook)).getinfo("xl/worksheets/sheet1.xml")
    begin = sheet.header_offset + 30 + len(sheet.filename)
    return workbook[:begin] + b"\xff" * 20 + workbook[begin + 20 :]


GOOD = csv_of(("Id", "Name"), ("1", "a"))
WRONG = {
    ("a.csv", b""): "a.csv is empty",
    ("a.csv", b" \r\n\r\n"): "a.csv is empty",
    ("a.csv", b";;;\n,,,\n"): "a.csv is empty|one line only",
    ("a.csv", b"Id,Name\r\n"): "one line only: headings without lines",
    ("a.xlsx", xlsx_of(("Id", "Name"))): "one line only: headings without lines",
    ("a.xlsx", xlsx_of()): "a.xlsx is empty",
    ("a.xlsx", GOOD): "named as an Excel workbook, but is plain text",
    ("a.csv", xlsx_of(("Id",), ("1",))): "is an Excel workbook, but its name says otherwise",
    ("a.xlsx", xlsx_of(("Id",), ("1",))[:-300]): "damaged",
    ("a.xlsx", spoiled(xlsx_of(("Id",), ("1",)))): "damaged",
    ("a.xlsx", zipped("xl/workbook.xml", "[Content_Types].xml")): "damaged",
    ("a.xlsx", zipped("readme.txt")): "an archive, but no Excel workbook",
    ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)): "of the old kind",
    ("a.xls", b"<html><table><tr><td>Id</td></tr></table>"): "a web page or XML, not a table",
    ("a.csv", b"%PDF-1.7 \x00\x01"): "a PDF document, not a table",
    ("a.csv", b"\x89PNG\r\n\x1a\n\x00\x81\x8d\x00\xff\xfe\x00\xd8\x00"): "is not a text file",
    ("a.csv", b"Id,Name\r\n1,\x81\x8d\x8f\r\n"): "neither UTF-8, UTF-16 nor Windows-1252",
    ("a.csv", b'Id,Name\r\n1,a\r\n2,"open\r\n3,c\r\n'): "cannot be read from line 3 on: a quotation mark",
    ("a.csv", b'Id,Name\r\n1,"a" b\r\n'): "cannot be read from line 2 on: a quotation mark",
}


@pytest.mark.parametrize(("name", "content"), list(WRONG), ids=range(len(WRONG)))
def test_what_is_no_table_is_told_in_a_sentence(name: str, content: bytes) -> None:
    with pytest.raises(InputError, match=WRONG[name, content]) as raised:
        read(name, content)
    assert raised.value.kept == "Nothing was read."
    assert raised.value.do


@pytest.mark.parametrize(
    ("headings", "wanted"),
    [
        (["Kundennummer", "Firma", "Domain", "Land"], {"specific_id": 0, "name": 1, "domains": 2, "country": 3}),
        (["Name", "ID", "Seats", "seats"], {"specific_id": 1, "name": 0, "seats": 2}),
        (["Provider Specific Account Id", "Account ID", "Customer", "Name"], {"specific_id": 0, "name": 2}),
        (["x", "y"], {}),
    ],
)
def test_columns_are_guessed_from_their_headings(headings: list[str], wanted: dict[str, int]) -> None:
    assert guess_columns(headings, FIELDS) == wanted


def test_columns_that_look_alike_are_told_apart() -> None:
    assert name_columns(["Id", "Id", ""]) == ["Id (column A)", "Id (column B)", "without heading (column C)"]
    assert [letter(place) for place in (0, 25, 26, 27, 701, 702)] == ["A", "Z", "AA", "AB", "ZZ", "AAA"]


def test_a_file_that_is_a_path_is_read_again_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("Id",), ("1",), ("2",)])
    sheet = open_sheet(path.name, path)
    first = next(sheet.lines())
    assert (first.cells, [line.cells for line in sheet.lines()]) == (("1",), [("1",), ("2",)])
