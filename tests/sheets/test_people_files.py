"""Files as people have them end in what docs/files.md says, whoever wrote them."""

from __future__ import annotations

import io
import random
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from service.import_files import csv_of
from sheets.hostile_files import STYLES, package, sheet
from sheets.people_files import (
    ANT,
    DOCUMENT,
    FILES,
    FORMATS,
    HEAD,
    SHEET,
    by_openpyxl,
    commas,
    cover,
    end_of,
    filtered,
    merged,
    rows_of_document,
    text,
)

from w365.errors import InputError
from w365.service.syncing.manual_rows import FIELDS
from w365.sheets import Reading, describe_table, open_sheet
from w365.sheets.formats import read_format
from w365.sheets.lines import Doubt
from w365.sheets.workbook import _without_empty_cells

OFFICE = shutil.which("soffice")


def test_every_file_ends_in_what_the_document_says() -> None:
    rows = rows_of_document()
    assert len(rows) >= 60
    stated = DOCUMENT.read_text(encoding="utf-8").splitlines()
    assert [row for row in rows if row not in stated] == []
    assert sum(line.startswith("| `") and line.count(" | ") == 3 and "." in line[:40] for line in stated) >= len(rows)


@pytest.mark.parametrize("name", [name for name, _, _, _ in FILES if name.endswith(("csv", "txt"))])
def test_a_file_that_is_cut_short_anywhere_is_a_table_or_a_sentence(name: str) -> None:
    content = next(make() for known, _, _, make in FILES if known == name)
    for length in range(0, len(content), 7):
        end_of(name, content[:length])


def changed(content: bytes, source: random.Random) -> bytes:
    """A file some bytes of which are others, or gone; of an archive, what its parts hold."""
    if zipfile.is_zipfile(io.BytesIO(content)):
        buffer = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(buffer, "w") as after:
            chosen = source.choice(before.namelist())
            for name in before.namelist():
                part = before.read(name)
                after.writestr(name, changed(part, source) if name == chosen else part)
        return buffer.getvalue()
    place, length = source.randrange(len(content) + 1), source.randint(0, 9)
    return (
        content[:place]
        + bytes(source.choices(b'<>"=/&;,09Aa\xff{}[]', k=source.randint(0, 4)))
        + content[place + length :]
    )


def test_a_file_that_was_spoiled_is_a_table_or_a_sentence() -> None:
    source = random.Random(23)
    made = [(name, make()) for name, _, _, make in FILES]
    for _ in range(1_500):
        name, content = source.choice(made)
        end_of(name, changed(content, source))


# --- written by LibreOffice, where it is installed ---


def ids(_book: object, first: object) -> None:
    for place, code in enumerate(("00000", "d-mmm", "0.00E+00", "# ?/?", "#,##0", '"K-"0000'), start=2):
        first[f"A{place}"].number_format = code  # type: ignore[index]


SOURCES: dict[str, tuple[Callable[[], bytes], str]] = {
    "ids": (
        lambda: by_openpyxl(ids, *((value, "Ant", "ant.de") for value in (42, 46054, 12000, 0.5, 1042, 7))),
        (
            "`00042` Ant (ant.de). "
            "Line 3, specific_id: cell A3 is a date or time, which a spreadsheet may have made of it. "
            "Line 4, specific_id: cell A4 is a number that Excel shortened. "
            "Line 5, specific_id: cell A5 is a fraction, which a spreadsheet may have made of it. "
            "Line 6, specific_id: cell A6 is shown otherwise than it is kept. `K-0007` Ant (ant.de)."
        ),
    ),
    "formulas": (
        lambda: by_openpyxl(
            lambda *_: None,
            ("1", "Ant", '=LOWER("ANT.DE")'),
            ("2", "Bee", "=NA()"),
            ("3", "Cat", '=""'),
            ("=1+3", "Dog", "dog.de"),
        ),
        (
            "`1` Ant (ant.de). Line 3, domains: cell C3 is an error value of a spreadsheet. "
            "`3` Cat (no domain). `4` Dog (dog.de)."
        ),
    ),
    "merged": (
        lambda: by_openpyxl(merged, ANT, ("2", "Bee", None)),
        "`1` Ant (ant.de). Line 3, domains: cell C3 is covered by a merged cell.",
    ),
    "hidden": (
        lambda: by_openpyxl(filtered, ANT, ("2", "Bee", "bee.de")),
        "`1` Ant (ant.de). `2` Bee (bee.de). (hidden)",
    ),
    "cover": (lambda: by_openpyxl(cover, ANT), "`1` Ant (ant.de). Other sheets, which are not read: “Cover”."),
}


@pytest.fixture(scope="module")
def by_libreoffice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources as LibreOffice saves them."""
    if OFFICE is None:
        pytest.skip("LibreOffice is not installed here; what it writes is read as shapes by hand in docs/files.md")
    folder = tmp_path_factory.mktemp("office")
    for name, (make, _) in SOURCES.items():
        (folder / f"{name}.xlsx").write_bytes(make())
    home = f"-env:UserInstallation=file://{folder}/home"
    files = [str(folder / f"{name}.xlsx") for name in SOURCES]
    for kind in ("ods", "xlsx"):
        command = [OFFICE, home, "--headless", "--convert-to", kind, "--outdir", str(folder / kind), *files]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
    return folder


@pytest.mark.proof
@pytest.mark.parametrize("kind", ["xlsx", "ods"])
@pytest.mark.parametrize("name", list(SOURCES))
def test_what_libreoffice_writes_is_read_alike(by_libreoffice: Path, name: str, kind: str) -> None:
    path = by_libreoffice / kind / f"{name}.{kind}"
    assert end_of(path.name, path).partition(": ")[2] == SOURCES[name][1]


# --- what a person chooses ---


def test_a_sheet_that_is_chosen_is_read_and_one_that_is_not_there_is_named() -> None:
    content = by_openpyxl(cover, ANT)
    table = describe_table("a.xlsx", content, FIELDS)
    assert (table.reading.sheet, [sheet.name for sheet in table.sheets]) == ("Customers", ["Cover", "Customers"])
    with pytest.raises(InputError, match="has one line only"):
        describe_table("a.xlsx", content, FIELDS, Reading(sheet="Cover"))
    with pytest.raises(InputError, match=r"has no sheet “Gone”.*Its sheets: Cover, Customers"):
        describe_table("a.xlsx", content, FIELDS, Reading(sheet="Gone"))
    assert describe_table("a.xlsx", content, FIELDS, likely=Reading(sheet="Gone")).reading.sheet == "Customers"


def test_lines_above_the_headings_are_skipped_where_the_headings_are_known_or_chosen() -> None:
    content = commas(("No", "Firm"), ("1", "Ant"))
    assert describe_table("a.csv", content, FIELDS).reading.heading_line == 1
    chosen = open_sheet("a.csv", content, FIELDS, Reading(heading_line=2))
    assert (chosen.headings, [line.cells for line in chosen.lines()]) == (("No", "Firm"), [("1", "Ant")])
    with pytest.raises(InputError, match="nothing in line 9 that could be headings"):
        describe_table("a.csv", content, FIELDS, Reading(heading_line=9))


def test_an_encoding_can_be_chosen_and_its_sample_shows_what_changes() -> None:
    content = commas(("1", "Müller", "a.de"), encoding="cp1252")
    table = describe_table("a.csv", content, FIELDS)
    assert (table.reading.encoding, table.samples["cp1252"], table.samples["cp1251"]) == ("cp1252", "Müller", "Mьller")
    assert open_sheet("a.csv", content, FIELDS, Reading(encoding="cp1251")).table.about.startswith("CSV, Windows-1251")
    assert describe_table("a.csv", content, FIELDS, likely=Reading(encoding="cp1250")).reading.encoding == "cp1250"
    as_unicode = next(open_sheet("a.csv", content, FIELDS, Reading(encoding="utf-8-sig")).lines())
    assert (as_unicode.cells[1], as_unicode.doubts) == ("M\ufffdller", {1: Doubt.UNREADABLE})


def test_a_bad_byte_late_in_a_file_turns_it_into_no_other_encoding() -> None:
    rows = [("1", "Müller", "a.de")] * 30_000
    content = commas(*rows) + b"2,Ant \xff,b.de\r\n"
    opened = open_sheet("a.csv", content, FIELDS)
    assert opened.table.about == "CSV, UTF-8, separated by commas"
    assert [line.number for line in opened.lines() if line.doubts] == [30_002]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|", ":"])
def test_what_stands_between_cells_is_found_or_chosen(mark: str) -> None:
    content = text(mark.join(HEAD), mark.join(ANT))
    chosen = open_sheet("a.csv", content, FIELDS, Reading(separator=mark))
    assert chosen.headings == HEAD
    if mark != ":":
        assert open_sheet("a.csv", content, FIELDS).headings == HEAD


# --- what a number shows ---


@pytest.mark.parametrize(
    ("number", "code", "shown"),
    [
        (42, "00000", "00042"),
        (123456789, "000-00-0000", "123-45-6789"),
        (42, '"K-"0000', "K-0042"),
        (42, "\\K0000", "K0042"),
        (-5, "0_);(0)", "(5)"),
        (5, "General", "5"),
        (3.5, "0.00", "3.50"),
        (0.1 + 0.2, "General", "0.3"),
        (5, "@", "5"),
        (7, '"00"0', "007"),
    ],
)
def test_a_number_is_read_as_its_format_shows_it(number: float, code: str, shown: str) -> None:
    assert read_format(code).show(number) == (shown, None)


@pytest.mark.parametrize(
    ("number", "code", "doubt"),
    [
        (1042, "#,##0", Doubt.DRESSED),
        (3.7, "0", Doubt.DRESSED),
        (0.05, "0%", Doubt.DRESSED),
        (5, "[$-407]0.00 [$€-407]", Doubt.DRESSED),
        (1_000_000, "0,", Doubt.DRESSED),
        (0, "#", Doubt.CONCEALED),
        (0, "0;-0;;@", Doubt.CONCEALED),
        (5, '"n/a"', Doubt.CONCEALED),
        (5, "##0.0E+0", Doubt.EXPONENT),
        (0.5, "# ??/??", Doubt.FRACTION),
        (10**16, "0", Doubt.EXPONENT),
    ],
)
def test_a_number_that_shows_something_else_is_doubted(number: float, code: str, doubt: Doubt) -> None:
    assert read_format(code).show(number)[1] is doubt


def test_formatted_empty_rows_cost_next_to_nothing() -> None:
    empty = "".join(
        f'<row r="{row}">' + "".join(f'<c r="{letter}{row}" s="1"/>' for letter in "ABCDEFGHIJ") + "</row>"
        for row in range(3, 60_003)
    )
    head = "".join(f'<c r="{letter}1" t="str"><v>{name}</v></c>' for letter, name in zip("ABC", HEAD, strict=True))
    rows = f'<row r="1">{head}</row><row r="2"><c r="A2"><v>1</v></c></row>{empty}'
    after = '<row r="70000"><c r="A70000"><v>2</v></c><c r="B70000" s="1"/></row>'
    opened = open_sheet("a.xlsx", package({SHEET: sheet(rows + after), STYLES: FORMATS}), FIELDS)
    assert [(line.number, line.cells[0]) for line in opened.lines()] == [(2, "1"), (70_000, "2")]
    left = b"".join(_without_empty_cells([(f"<worksheet><sheetData>{rows}{after}").encode()]))
    assert len(left) < 2_000  # of 13 MB, before any of it is parsed


def test_a_name_that_no_terminal_can_print_is_said_all_the_same() -> None:
    name = b"K\xe4ufer\n.csv".decode("utf-8", "surrogateescape")
    assert open_sheet(name, csv_of(HEAD, ANT)).name == "K?ufer .csv"


def test_openpyxl_reads_what_we_read_of_a_plain_workbook(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(by_openpyxl(lambda *_: None, ANT, ("2", "Bee & Co", None)))
    first = openpyxl.load_workbook(path, read_only=True).worksheets[0]
    theirs = [tuple(str(cell or "") for cell in row) for row in first.iter_rows(min_row=2, values_only=True)]
    assert [line.cells for line in open_sheet("a.xlsx", path).lines()] == theirs
