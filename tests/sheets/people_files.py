"""Files as people have them: by name, who writes such, what is in it, and what makes it.

`PYTHONPATH=.:tests python -m sheets.people_files` writes what each ends in into docs/files.md; a test holds it.
"""
# ruff: noqa: E501 - a file a line

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import xlsxwriter
from service.import_files import xlsx_of
from sheets.hostile_files import MAIN, SHEET, STYLES, package, sheet

from w365.errors import InputError
from w365.service.importing.reading import find_damage, read_texts
from w365.service.syncing.manual_rows import FIELDS, read_row
from w365.sheets import guess_columns, open_sheet

HEAD = ("Customer id", "Customer name", "Domains")
ANT = ("1", "Ant", "ant.de")
ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "files.md"


# --- by programs ---


def by_openpyxl(change: Callable[[Any, Any], None], *rows: Sequence[object]) -> bytes:
    book = openpyxl.Workbook()
    first = book.active
    assert first is not None
    for row in (HEAD, *rows):
        first.append(row)
    change(book, first)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def formatted(value: object, code: str) -> bytes:
    def change(_book: Any, first: Any) -> None:
        first["A2"].number_format = code

    return by_openpyxl(change, (value, "Ant", "ant.de"))


def nothing(_book: Any, _first: Any) -> None:
    """A workbook as it is."""


def merged(_book: Any, first: Any) -> None:
    first.merge_cells("C2:C3")


def hidden_row(_book: Any, first: Any) -> None:
    first.row_dimensions[3].hidden = True


def hidden_column(_book: Any, first: Any) -> None:
    first.column_dimensions["C"].hidden = True


def cover(book: Any, first: Any) -> None:
    first.title = "Customers"
    book.create_sheet("Cover", 0)["A1"] = "Customers of March"


def hidden_first(book: Any, first: Any) -> None:
    old = book.create_sheet("Old", 0)
    old.append(HEAD)
    old.append(("9", "Gone", "gone.de"))
    old.sheet_state = "hidden"
    book.active = 1
    first.title = "Now"


def protected(_book: Any, first: Any) -> None:
    first.protection.enable()


def filtered(_book: Any, first: Any) -> None:
    first.auto_filter.ref = "A1:C3"
    first.auto_filter.add_filter_column(1, ["Ant"])
    first.row_dimensions[3].hidden = True


def by_xlsxwriter(write: Callable[[Any, Any], None], **options: Any) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, options) as book:
        first = book.add_worksheet()
        first.write_row(0, 0, HEAD)
        write(book, first)
    return buffer.getvalue()


def uncomputed(_book: Any, first: Any) -> None:
    first.write_row(1, 0, ("1", "Ant"))
    first.write_formula(1, 2, '=LOWER("ANT.DE")')


def computed(_book: Any, first: Any) -> None:
    first.write_row(1, 0, ("1", "Ant"))
    first.write_formula(1, 2, '=LOWER("ANT.DE")', None, "ant.de")


def rich(book: Any, first: Any) -> None:
    first.write_row(1, 0, ("1", "", "ant.de"))
    first.write_rich_string(1, 1, "A", book.add_format({"bold": True}), "nt")


def table(_book: Any, first: Any) -> None:
    first.add_table(0, 0, 1, 2, {"data": [ANT], "columns": [{"header": name} for name in HEAD]})


def checked(_book: Any, first: Any) -> None:
    first.write_row(1, 0, ANT)
    first.data_validation(1, 0, 9, 0, {"validate": "length", "criteria": "<", "value": 9})
    first.conditional_format(1, 0, 9, 2, {"type": "no_blanks"})
    first.write_comment(1, 1, "a comment")


def frame() -> Any:
    return pd.DataFrame({"Customer id": ["00042", "2"], "Customer name": ["Ant", "Bee"], "Domains": ["ant.de", None]})


def by_pandas(write: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    getattr(frame(), write)(buffer, index=False, **options)
    return buffer.getvalue()


# --- by hand ---


def text(*lines: str, encoding: str = "utf-8", end: str = "\r\n") -> bytes:
    return "".join(line + end for line in lines).encode(encoding)


def commas(*rows: Sequence[str], **options: str) -> bytes:
    return text(*(",".join(row) for row in (HEAD, *rows)), **options)


def cells(*row: str) -> bytes:
    """A workbook whose second row is written so."""
    head = "".join(f'<c t="inlineStr"><is><t>{name}</t></is></c>' for name in HEAD)
    return package({SHEET: sheet(f'<row r="1">{head}</row><row r="2">{"".join(row)}</row>'), STYLES: FORMATS})


FORMATS = f'<styleSheet {MAIN}><numFmts><numFmt numFmtId="170" formatCode="00000"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="170"/><xf numFmtId="14"/></cellXfs></styleSheet>'
REST = '<c r="B2" t="str"><v>Ant</v></c><c r="C2" t="str"><v>ant.de</v></c>'
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"


def strict() -> bytes:
    """As Excel saves “Strict Open XML”: other names of everything, and dates in words."""
    content = cells(f'<c r="A2" t="d"><v>2026-02-01</v></c>{REST}')
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(buffer, "w") as after:
        for name in before.namelist():
            part = before.read(name).replace(MAIN[7:-1].encode(), STRICT.encode())
            links = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"
            after.writestr(name, part.replace(links, b"http://purl.oclc.org/ooxml/officeDocument/relationships"))
    return buffer.getvalue()


def archive(parts: Mapping[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, content in parts.items():
            made.writestr(name, content)
    return buffer.getvalue()


ODS = "application/vnd.oasis.opendocument.spreadsheet"
_SPACES = " ".join(
    f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{short}:1.0"'
    for short in ("office", "table", "text", "style")
)


def ods(*rows: str, styles: str = "", manifest: str = "", generator: str = "LibreOffice/7.4.7.2$Linux") -> bytes:
    """A document as LibreOffice writes it, with rows below the headings."""
    head = "".join(
        f'<table:table-cell office:value-type="string"><text:p>{name}</text:p></table:table-cell>' for name in HEAD
    )
    body = f'<table:table table:name="Tabelle1" table:style-name="ta1"><table:table-row>{head}</table:table-row>{"".join(rows)}</table:table>'
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {_SPACES} xmlns:calcext="urn:calcext">'
        f"<office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:spreadsheet>{body}</office:spreadsheet></office:body></office:document-content>"
    )
    meta = f"<office:document-meta><office:meta><meta:generator>{generator}</meta:generator></office:meta></office:document-meta>"
    return archive(
        {"mimetype": ODS, "content.xml": content, "META-INF/manifest.xml": f"<m>{manifest}</m>", "meta.xml": meta}
    )


def row(first: str, domains: str = 'office:value-type="string"><text:p>ant.de</text:p>', about: str = "") -> str:
    name = '<table:table-cell office:value-type="string"><text:p>Ant</text:p></table:table-cell>'
    return f"<table:table-row {about}><table:table-cell {first}</table:table-cell>{name}<table:table-cell {domains}</table:table-cell></table:table-row>"


def number(value: str, shown: str, kind: str = "float") -> str:
    return f'office:value-type="{kind}" office:value="{value}"><text:p>{shown}</text:p>'


COVERED = (
    "<table:table-row>"
    '<table:table-cell office:value-type="float" office:value="2"><text:p>2</text:p></table:table-cell>'
    '<table:table-cell office:value-type="string"><text:p>Bee</text:p></table:table-cell>'
    "<table:covered-table-cell/></table:table-row>"
)


def compound(stream: str) -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1_000) + stream.encode("utf-16-le") + bytes(2_000)


NDJSON = "\n".join(json.dumps(dict(zip(HEAD, line, strict=True))) for line in (ANT, ("2", "Bee", ""))).encode()
MUELLER = ("1", "Müller & Söhne", "mueller.de")
BAD_BYTE = commas(MUELLER, ("2", "Ant ?", "ant.de")).replace(b"Ant ?", b"Ant \xff")

Make = Callable[[], bytes]
FILES: Sequence[tuple[str, str, str, Make]] = (
    ("plain.csv", "a script", "commas, UTF-8", lambda: commas(ANT)),
    (
        "german.csv",
        "Excel (German)",
        "semicolons, Windows-1252",
        lambda: text("Customer id;Customer name;Domains", ";".join(MUELLER), encoding="cp1252"),
    ),
    ("utf8-mark.csv", "Excel, “CSV UTF-8”", "the mark of UTF-8", lambda: commas(MUELLER, encoding="utf-8-sig")),
    ("dos.csv", "Excel, “CSV (MS-DOS)”", "code page 850", lambda: commas(MUELLER, encoding="cp850")),
    ("mac.csv", "Excel, “CSV (Macintosh)”", "Mac Roman", lambda: commas(MUELLER, encoding="mac_roman")),
    (
        "polish.csv",
        "Excel (Polish)",
        "Windows-1250",
        lambda: commas(("1", "Łódź Gdańsk Żywiec", "a.pl"), encoding="cp1250"),
    ),
    ("russian.csv", "Excel (Russian)", "Windows-1251", lambda: commas(("1", "ООО Ромашка", "a.ru"), encoding="cp1251")),
    (
        "unicode.txt",
        "Excel, “Unicode Text”",
        "UTF-16, tabs",
        lambda: text("\t".join(HEAD), "\t".join(MUELLER), encoding="utf-16"),
    ),
    ("utf16.csv", "a script", "UTF-16 without its mark", lambda: commas(ANT, encoding="utf-16-le")),
    ("bad-byte.csv", "a script", "UTF-8 with one byte that is none", lambda: BAD_BYTE),
    ("sep.csv", "Excel", "a first line “sep=;”", lambda: text("sep=;", ";".join(HEAD), ";".join(ANT))),
    ("sep-quoted.csv", "a web shop", 'a first line “"sep=|"”', lambda: text('"sep=|"', "|".join(HEAD), "|".join(ANT))),
    (
        "powershell.csv",
        "PowerShell 5, Export-Csv",
        "a first line “#TYPE …”",
        lambda: text(
            "#TYPE System.Management.Automation.PSCustomObject", *('"' + '","'.join(line) + '"' for line in (HEAD, ANT))
        ),
    ),
    ("pipes.csv", "a database", "vertical bars", lambda: text("|".join(HEAD), "|".join(ANT))),
    (
        "title.csv",
        "a report",
        "two lines above the headings",
        lambda: text("Customers, as of March, all regions", "", ";".join(HEAD), ";".join(ANT)),
    ),
    ("short-lines.csv", "Excel", "lines that end before the last column", lambda: commas(("1", "Ant"))),
    ("long-lines.csv", "a script", "a comma that is not quoted", lambda: commas((*ANT, "ant.com"))),
    ("kept-as-text.csv", "SAP", 'ids as ="00042"', lambda: commas(('="00042"', "Ant", "ant.de"))),
    ("shortened.csv", "Excel", "an id that became 7.12E+17", lambda: commas(("7.12346E+17", "Ant", "ant.de"))),
    ("date.csv", "Excel (English)", "an id that became 1-Feb", lambda: commas(("1-Feb", "Ant", "ant.de"))),
    ("date-german.csv", "Excel (German)", "an id that became 01. Feb", lambda: commas(("01. Feb", "Ant", "ant.de"))),
    ("errors.csv", "Excel (German)", "#NV in a cell", lambda: commas(("1", "Ant", "#NV"))),
    ("loading.csv", "Google Sheets", "Loading... in a cell", lambda: commas(("1", "Ant", "Loading..."))),
    (
        "guid.csv",
        "Partner Center",
        "a GUID in braces and capitals",
        lambda: commas(("{0D4B545B-3C2B-5C6E-B10B-BADCD8B87A45}", "Ant", "ant.de")),
    ),
    (
        "line-breaks.csv",
        "a CRM",
        "line breaks inside quotes, old Mac line ends",
        lambda: text(",".join(HEAD), '1,Ant,"ant.de\nant.com"', end="\r"),
    ),
    ("pandas.csv", "pandas, to_csv", "", lambda: by_pandas("to_csv")),
    (
        "pandas-openpyxl.xlsx",
        "pandas over openpyxl",
        "ids that are texts",
        lambda: by_pandas("to_excel", engine="openpyxl"),
    ),
    (
        "pandas-xlsxwriter.xlsx",
        "pandas over XlsxWriter",
        "ids that are texts",
        lambda: by_pandas("to_excel", engine="xlsxwriter"),
    ),
    ("pandas.json", 'pandas, to_json(orient="records")', "", lambda: frame().to_json(orient="records").encode()),
    ("pandas.parquet", "pandas, to_parquet", "", lambda: by_pandas("to_parquet")),
    ("lines.json", "jq", "an object a line", lambda: NDJSON),
    (
        "absent.json",
        "a script",
        "objects without the key of an empty value",
        lambda: b'[{"id": 1, "name": "Ant", "domains": ["ant.de", "ant.com"]}, {"id": 2, "name": "Bee"}]',
    ),
    ("broken-off.json", "a script", "its end is missing", lambda: b'[{"id": "1", "name": "Ant"},'),
    ("texts.json", "a script", "a list of texts", lambda: b'["1", "Ant"]'),
    ("numbers.xlsx", "openpyxl", "ids that are numbers", lambda: by_openpyxl(nothing, (1042, "Ant", "ant.de"))),
    ("zeros.xlsx", "openpyxl", "42 in the format 00000", lambda: formatted(42, "00000")),
    ("literal.xlsx", "openpyxl", '42 in the format "K-"0000', lambda: formatted(42, '"K-"0000')),
    ("thousands.xlsx", "openpyxl", "1042 in the format #,##0", lambda: formatted(1042, "#,##0")),
    ("date.xlsx", "openpyxl", "an id that became a date", lambda: formatted(dt.datetime(2026, 2, 1), "d-mmm")),  # noqa: DTZ001 - sheets have no zones
    ("scientific.xlsx", "openpyxl", "an id that became 1.20E+04", lambda: formatted(12000, "0.00E+00")),
    ("fraction.xlsx", "openpyxl", "an id that became 1/2", lambda: formatted(0.5, "# ?/?")),
    ("long-id.xlsx", "openpyxl", "an id of 18 digits that is a number", lambda: formatted(123456789012345678, "0")),
    ("concealed.xlsx", "openpyxl", "an id in the format ;;;", lambda: formatted(42, ";;;")),
    (
        "formula.xlsx",
        "openpyxl",
        "a formula that nobody computed",
        lambda: by_openpyxl(nothing, ("1", "Ant", '=LOWER("ANT.DE")')),
    ),
    ("merged.xlsx", "openpyxl", "domains merged over two rows", lambda: by_openpyxl(merged, ANT, ("2", "Bee", None))),
    ("hidden-row.xlsx", "openpyxl", "a hidden row", lambda: by_openpyxl(hidden_row, ANT, ("2", "Bee", "bee.de"))),
    (
        "filtered.xlsx",
        "openpyxl",
        "a filter that hides a row",
        lambda: by_openpyxl(filtered, ANT, ("2", "Bee", "bee.de")),
    ),
    ("hidden-column.xlsx", "openpyxl", "a hidden column", lambda: by_openpyxl(hidden_column, ANT)),
    ("cover.xlsx", "openpyxl", "a cover sheet before the table", lambda: by_openpyxl(cover, ANT)),
    ("hidden-sheet.xlsx", "openpyxl", "a hidden sheet before the table", lambda: by_openpyxl(hidden_first, ANT)),
    ("protected-sheet.xlsx", "openpyxl", "a sheet protected against changes", lambda: by_openpyxl(protected, ANT)),
    (
        "uncomputed.xlsx",
        "XlsxWriter",
        "a formula with the result 0 that nobody computed",
        lambda: by_xlsxwriter(uncomputed),
    ),
    ("computed.xlsx", "XlsxWriter", "a formula with its result", lambda: by_xlsxwriter(computed)),
    ("rich.xlsx", "XlsxWriter", "a name partly bold", lambda: by_xlsxwriter(rich)),
    ("table.xlsx", "XlsxWriter", "a table of Excel", lambda: by_xlsxwriter(table)),
    ("checked.xlsx", "XlsxWriter", "validation, conditional formats, comments", lambda: by_xlsxwriter(checked)),
    (
        "constant-memory.xlsx",
        "XlsxWriter, constant memory",
        "texts in their cells",
        lambda: by_xlsxwriter(lambda _, first: first.write_row(1, 0, ANT), constant_memory=True),
    ),
    ("upper.XLSX", "XlsxWriter", "a name in capitals", lambda: xlsx_of(HEAD, ANT)),
    ("strict.xlsx", "by hand, as Excel’s “Strict Open XML”", "a date in words", strict),
    ("no-value.xlsx", "by hand", "a formula without a result", lambda: cells('<c r="A2"><f>B2</f></c>', REST)),
    (
        "error.xlsx",
        "by hand, as Excel",
        "#N/A from a formula",
        lambda: cells(
            '<c r="A2"><v>1</v></c><c r="B2" t="str"><v>Ant</v></c><c r="C2" t="e"><f>NA()</f><v>#N/A</v></c>'
        ),
    ),
    (
        "picture.xlsx",
        "by hand, as Excel 365",
        "a picture in a cell",
        lambda: cells('<c r="A2" t="e" vm="1"><v>#VALUE!</v></c>', REST),
    ),
    (
        "unknown-kind.xlsx",
        "by hand",
        "a cell of a kind that nobody knows",
        lambda: cells('<c r="A2" t="new"><v>1</v></c>', REST),
    ),
    (
        "empty-result.xlsx",
        "by hand, as Excel",
        "a formula whose result is no text",
        lambda: cells(
            '<c r="A2"><v>1</v></c><c r="B2" t="str"><v>Ant</v></c><c r="C2" t="str"><f>IF(1,"")</f><v></v></c>'
        ),
    ),
    (
        "broken-style.xlsx",
        "by hand",
        "formats and styles that are no numbers",
        lambda: cells('<c r="A2" s="x"><v>1</v></c>', REST),
    ),
    ("date-1000.xlsx", "by hand", "a date before all dates", lambda: cells('<c r="A2" s="2"><v>-5</v></c>', REST)),
    ("broken-off.xlsx", "a download that was broken off", "", lambda: xlsx_of(HEAD, ANT)[:-300]),
    (
        "libreoffice.ods",
        "by hand, as LibreOffice",
        "texts",
        lambda: ods(row('office:value-type="string"><text:p>1</text:p>')),
    ),
    ("zeros.ods", "by hand, as LibreOffice", "42 shown as 00042", lambda: ods(row(number("42", "00042")))),
    (
        "date.ods",
        "by hand, as LibreOffice",
        "an id that became a date",
        lambda: ods(row('office:value-type="date" office:date-value="2026-02-01"><text:p>01.02.26</text:p>')),
    ),
    (
        "thousands.ods",
        "by hand, as LibreOffice (German)",
        "1042 shown as 1.042",
        lambda: ods(row(number("1042", "1.042"))),
    ),
    (
        "error.ods",
        "by hand, as LibreOffice",
        "an error value",
        lambda: ods(
            row(
                number("1", "1"),
                'table:formula="of:=NA()" office:value-type="string" office:string-value="" calcext:value-type="error"><text:p>#N/A</text:p>',
            )
        ),
    ),
    (
        "empty-result.ods",
        "by hand, as LibreOffice",
        "a formula whose result is no text",
        lambda: ods(row(number("1", "1"), 'table:formula="of:=IF(1;&quot;&quot;)">')),
    ),
    (
        "no-value.ods",
        "by hand, as a script",
        "a formula without a result",
        lambda: ods(row(number("1", "1"), 'table:formula="of:=B2">'), generator="ODFPY/1.4"),
    ),
    (
        "filtered.ods",
        "by hand, as LibreOffice",
        "a filter that hides a row",
        lambda: ods(row(number("1", "1")), row(number("2", "2"), about='table:visibility="filter"')),
    ),
    (
        "merged.ods",
        "by hand, as LibreOffice",
        "domains merged over two rows",
        lambda: ods(row(number("1", "1")), COVERED),
    ),
    ("password.ods", "by hand, as LibreOffice", "a password", lambda: ods(manifest="<encryption-data/>")),
    (
        "comment.ods",
        "by hand, as LibreOffice",
        "a comment at a cell",
        lambda: ods(
            row(
                number("1", "1").replace(
                    "<text:p>", "<office:annotation><text:p>no</text:p></office:annotation><text:p>"
                )
            )
        ),
    ),
    ("old.xls", "by hand, as Excel 97", "", lambda: compound("Workbook")),
    ("password.xlsx", "by hand, as Excel", "a password", lambda: compound("EncryptedPackage")),
    (
        "page.xls",
        "a web report",
        "a web page with the name of a workbook",
        lambda: b"<html><table><tr><td>Id</td></tr></table>",
    ),
    (
        "xml2003.xml",
        "Excel 2003",
        "an XML table",
        lambda: b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook/>',
    ),
    ("binary.xlsb", "by hand, as Excel", "a binary workbook", lambda: archive({"xl/workbook.bin": b""})),
    ("apple.numbers", "by hand, as Numbers", "", lambda: archive({"Index/Document.iwa": b""})),
    ("letter.docx", "by hand, as Word", "", lambda: archive({"word/document.xml": b""})),
    ("workbook.csv", "XlsxWriter", "a workbook that is named as CSV", lambda: xlsx_of(HEAD, ANT)),
    ("text.xlsx", "a script", "CSV that is named as a workbook", lambda: commas(ANT)),
    ("report.pdf", "a printer", "", lambda: b"%PDF-1.7 \n"),
)


def end_of(name: str, content: bytes | Path) -> str:
    """Say what a file ends in: the ids and names of its lines, what is wrong with the others, or why it is refused."""
    try:
        opened = open_sheet(name, content, FIELDS)
        places = guess_columns(opened.headings, FIELDS)
        lines = list(read_texts(opened, FIELDS, places))
    except InputError as error:
        return error.what
    parts = [opened.table.about + ":", *(_end_of(line) for line in lines), *opened.table.notes]
    return " ".join(parts)


def _end_of(line: Any) -> str:
    if line.surplus:
        return f"Line {line.number} has {line.surplus} cells under {len(HEAD)} headings."
    customer, problems = read_row(line.texts, line.doubts)
    hidden = " (hidden)" if line.is_hidden else ""
    if problems:
        return (
            " ".join(f"Line {line.number}, {each.field}: {each.why.partition(';')[0]}." for each in problems) + hidden
        )
    assert customer
    if why := find_damage(customer.specific_id):
        return f"Line {line.number}, specific_id: {why.partition(';')[0]}."
    domains = "domains as stored" if customer.domains is None else ", ".join(each.name for each in customer.domains)
    return f"`{customer.specific_id}` {customer.name} ({domains or 'no domain'}).{hidden}"


def rows_of_document() -> list[str]:
    """The table of docs/files.md."""
    rows = [(name, by, what, end_of(name, make())) for name, by, what, make in FILES]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in (f"`{name}`", *rest)) + " |" for name, *rest in rows]


BEGIN = "| File | Written by | What is in it | What it ends in |\n|---|---|---|---|\n"


def main() -> None:
    before, begin, after = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    after = after[after.index("\n\n") :]
    DOCUMENT.write_text(before + begin + "\n".join(rows_of_document()) + after, encoding="utf-8")


if __name__ == "__main__":
    main()
