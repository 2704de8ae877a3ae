"""Files that were made to hold up whoever reads them: by name, what makes each and what is to be said of it.

Several sentences are named, with `|` between them, where it is no matter which limit is met first.
"""

from __future__ import annotations

import io
import itertools
import random
import struct
import zipfile
from collections.abc import Callable, Iterable, Mapping

from service.import_files import xlsx_of

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
SHEET, TEXTS, STYLES = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml"
GOOD_ROWS = '<row r="1"><c r="A1" t="inlineStr"><is><t>Id</t></is></c></row><row r="2"><c r="A2"><v>1</v></c></row>'


def package(parts: Mapping[str, bytes | str | Iterable[bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A workbook of a sheet, its texts and its styles, with these parts in their places or beside them."""
    kinds = {"worksheet": SHEET, "sharedStrings": TEXTS, "styles": STYLES}
    links = "".join(
        f'<Relationship Id="r{kind}" Type="{LINKS}/{kind}" Target="/{part}"/>' for kind, part in kinds.items()
    )
    whole: dict[str, bytes | str | Iterable[bytes]] = {
        "xl/workbook.xml": f'<workbook xmlns:r="{LINKS}"><sheets><sheet r:id="rworksheet"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f"<Relationships>{links}</Relationships>",
        SHEET: sheet(GOOD_ROWS),
        TEXTS: f"<sst {MAIN}/>",
        STYLES: f"<styleSheet {MAIN}/>",
        **parts,
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method, compresslevel=1) as archive:
        for name, content in whole.items():
            with archive.open(name, "w") as part:
                for block in (content,) if isinstance(content, (bytes, str)) else content:
                    part.write(block.encode() if isinstance(block, str) else block)
    return buffer.getvalue()


def sheet(rows: str, *, before: str = "", head: str = "") -> str:
    return f"{before}<worksheet {MAIN}>{head}<sheetData>{rows}</sheetData></worksheet>"


def around(begin: str, block: bytes, times: int, end: str) -> Iterable[bytes]:
    """A part that is never whole in memory."""
    yield begin.encode()
    for _ in range(times):
        yield block
    yield end.encode()


def texts_of(block: bytes, times: int) -> bytes:
    return package({TEXTS: around(f"<sst {MAIN}>", block, times, "</sst>")})


def rows_of(block: bytes, times: int) -> bytes:
    return package({SHEET: around(f"<worksheet {MAIN}><sheetData>", block, times, "</sheetData></worksheet>")})


def with_entity(declared: str) -> bytes:
    return package({SHEET: sheet(GOOD_ROWS.replace("Id", "&a;"), before=f"<!DOCTYPE x [{declared}]>")})


def laughs() -> str:
    """A thousand million words of ten names, each of which is ten of the next."""
    names = "abcdefghij"
    pairs = itertools.pairwise(names)
    return "".join(f'<!ENTITY {name} "{"&" + (after + ";&") * 9 + after + ";"}">' for name, after in pairs) + (
        '<!ENTITY j "ha">'
    )


def patched(content: bytes, name: str, at: int, form: str, value: int) -> bytes:
    """Change a field of a part's entry in the archive's directory."""
    place = content.index(name.encode(), content.rindex(b"xl/workbook.xml") - 60) - 46 + at
    return content[:place] + struct.pack(form, value) + content[place + struct.calcsize(form) :]


def overlapping() -> bytes:
    """Every entry of the directory names the first one's place."""
    parts = {f"xl/media/{number}": b"" for number in range(500)} | {"xl/media/kernel": bytes(1_000_000)}
    content = bytearray(package(parts))
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as archive:
        kernel = archive.getinfo("xl/media/kernel")
    for number in range(500):
        place = bytes(content).rindex(f"xl/media/{number}".encode()) - 46
        struct.pack_into("<L", content, place + 20, kernel.compress_size)
        struct.pack_into("<L", content, place + 42, kernel.header_offset)
    return bytes(content)


def nested() -> bytes:
    content = bytes(10_000_000)
    for _ in range(4):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(10):
                archive.writestr(f"{number}.zip", content)
        content = buffer.getvalue()
    return content


def many_entries() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(40_000):
            archive.writestr(f"xl/{number}", b"")
    return buffer.getvalue()


def random_lines(amount: int) -> bytes:
    source = random.Random(1)
    return b"".join(b"<si><t>%x</t></si>" % source.getrandbits(48) for _ in range(amount))


ZEROS = bytes(1 << 20)
SPACES = b" " * (1 << 20)


def wide_row(amount: int) -> bytes:
    return b"".join([b'<row r="1">', *(b"<c><v>1</v></c>" for _ in range(amount)), b"</row>"])


XLSX: dict[str, tuple[Callable[[], bytes], str]] = {
    "a row numbered a thousand million": (
        lambda: package({SHEET: sheet(GOOD_ROWS + '<row r="1000000000"><c r="A1000000000"><v>1</v></c></row>')}),
        "has a row 1,000,000,000",
    ),
    "rows without end": (
        lambda: rows_of(b"".join(b'<row r="%d"/>' % number for number in range(1_100_000)), 1),
        "has more than 1,048,576 rows",
    ),
    "rows with a prefix": (
        lambda: package(
            {SHEET: around("<x:worksheet><x:sheetData>", b"<x:row/>" * 10_000, 150, "</x:sheetData></x:worksheet>")}
        ),
        "has a row 1,048,577",
    ),
    "cells without end": (
        lambda: rows_of(b"<row>" + b"<c><v>1</v></c>" * 1_000 + b"</row>", 25_000),
        "unpacks to more than|more than 20,000,000 cells",
    ),
    "shared texts, four megabytes packed, all alike": (
        lambda: texts_of(b"<si><t>the same text again</t></si>" * 10_000, 3_500),
        "unpacks to more than|different texts",
    ),
    "shared texts, four megabytes packed, all different": (
        lambda: texts_of(random_lines(50_000), 80),
        "more than 3,500,000 different texts",
    ),
    "a shared text of a hundred megabytes": (
        lambda: texts_of(b"<si><t>" + b"a" * 100_000_000 + b"</t></si>", 1),
        "unpacks to more than|a cell of more than 131,072 characters",
    ),
    "fifty thousand columns": (lambda: rows_of(wide_row(50_000), 1), "more than 1,000 columns"),
    "a column without end": (
        lambda: package({SHEET: sheet(f'<row r="1"><c r="{"Z" * 500_000}1"><v>1</v></c></row>')}),
        "a column “ZZZZZZZZZ”",
    ),
    "a shared text that is not there": (
        lambda: package({SHEET: sheet('<row r="1"><c t="s"><v>7</v></c></row>')}),
        "row 1 names a text that is not there",
    ),
    "a shared text before the first": (
        lambda: package(
            {SHEET: sheet('<row r="1"><c t="s"><v>-1</v></c></row>'), TEXTS: "<sst><si><t>a</t></si></sst>"}
        ),
        "row 1 names a text that is not there",
    ),
    "a thousand million laughs": (lambda: with_entity(laughs()), "declares a document type"),
    "quadratic laughs": (lambda: with_entity(f'<!ENTITY a "{"a" * 100_000}">'), "declares a document type"),
    "an entity from elsewhere": (
        lambda: with_entity('<!ENTITY a SYSTEM "file:///etc/passwd">'),
        "declares a document type",
    ),
    "laughs in UTF-16": (
        lambda: package({SHEET: sheet(GOOD_ROWS, before=f"<!DOCTYPE x [{laughs()}]>").encode("utf-16")}),
        "declares a document type",
    ),
    "a bomb of one part": (lambda: rows_of(SPACES, 2_000), "unpacks to more than"),
    "a bomb beside the table": (
        lambda: package({"xl/media/bomb": around("", ZEROS, 1_100, "")}),
        "unpacks to more than 1,024 MB",
    ),
    "a bomb of many parts": (
        lambda: package({f"xl/media/{number}": around("", ZEROS, 12, "") for number in range(100)}),
        "unpacks to more than 1,024 MB",
    ),
    "a bomb inside bombs": (nested, "is an archive, but no Excel workbook"),
    "parts upon one another": (overlapping, "lie upon one another"),
    "a part larger than the directory says": (
        lambda: patched(rows_of(SPACES, 200), SHEET, 24, "<L", 100),
        "damaged",
    ),
    "a part smaller than the directory says": (
        lambda: patched(package({}), SHEET, 24, "<L", 4_000_000_000),
        "unpacks to more than 1,024 MB",
    ),
    "a part packed in another way": (
        lambda: package({SHEET: around("", SPACES, 300, "")}, zipfile.ZIP_BZIP2),
        "packed in a way that no workbook is",
    ),
    "a part with a password": (lambda: patched(package({}), SHEET, 8, "<H", 1), "protected with a password"),
    "forty thousand parts": (many_entries, "more than 1,000 parts or sheets"),
    "thousands of sheets": (
        lambda: package({f"xl/worksheets/sheet{number}.xml": sheet(GOOD_ROWS) for number in range(2, 3_000)}),
        "more than 1,000 parts or sheets",
    ),
    "huge styles": (
        lambda: package(
            {STYLES: around("<styleSheet><cellXfs>", b'<xf numFmtId="14"/>' * 10_000, 400, "</cellXfs></styleSheet>")}
        ),
        "unpacks to more than|65,536 formats",
    ),
    "formats without end": (
        lambda: package(
            {STYLES: around("<styleSheet><cellXfs>", b'<xf numFmtId="14"/>' * 10_000, 40, "</cellXfs></styleSheet>")}
        ),
        "more than 65,536 formats",
    ),
    "formulas alone, and a huge dimension": (
        lambda: package(
            {SHEET: sheet('<row r="1"><c r="A1"><f>A2</f></c></row>' * 1_000, head='<dimension ref="A1:XFD1048576"/>')}
        ),
        "is empty",
    ),
    "elements within elements": (lambda: rows_of(b"<a>" * 100_000, 10), "damaged"),
    "names without end": (
        lambda: package({SHEET: sheet("".join(f"<a{number}/>" for number in range(500_000)))}),
        "none that a program for tables writes",
    ),
    "a tag without end": (
        lambda: package({SHEET: sheet("<row " + " ".join(map("a{}=''".format, range(600_000))) + "/>")}),
        "none that a program for tables writes|damaged",
    ),
    "elements that are no cells": (lambda: rows_of(b"<q/>" * 10_000, 400), "unpacks to|is empty|something else"),
    "a broken-off archive": (lambda: xlsx_of(("Id",), ("1",))[:-400], "damaged"),
    "an encrypted workbook": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(5_000), "of the old kind"),
    "a hundred thousand merged cells": (
        lambda: package(
            {
                SHEET: sheet(GOOD_ROWS).replace(
                    "</worksheet>",
                    '<mergeCells><mergeCell ref="A1:B2"/></mergeCells></worksheet>'.replace(
                        "<mergeCell ref", '<mergeCell ref="A1:B2"/>' * 100_000 + "<mergeCell ref"
                    ),
                )
            }
        ),
        "more than 10,000 merged cells",
    ),
    "merged cells upon one another": (
        lambda: package(
            {
                SHEET: sheet(GOOD_ROWS).replace(
                    "</worksheet>",
                    "<mergeCells>" + '<mergeCell ref="A1:ALL1048576"/>' * 9_000 + "</mergeCells></worksheet>",
                )
            }
        ),
        "lie upon one another",
    ),
    "an encoding that is none": (
        lambda: package({SHEET: sheet(GOOD_ROWS, before='<?xml version="1.0" encoding="UTF-UTF-8"?>')}),
        "damaged",
    ),
    "a date beyond all years": (
        lambda: package(
            {
                SHEET: sheet('<row r="1"><c s="0"><v>99999999999</v></c></row>'),
                STYLES: '<styleSheet><cellXfs><xf numFmtId="14"/></cellXfs></styleSheet>',
            }
        ),
        "has one line only",
    ),
}

ODS_HEAD = "application/vnd.oasis.opendocument.spreadsheet"


def document(body: Iterable[bytes] | str, before: str = "") -> bytes:
    """An open document with this inside its one table."""
    begin, end = (
        f"{before}<office:document-content><office:spreadsheet><table:table table:name='a'>",
        "</table:table></office:spreadsheet></office:document-content>",
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("mimetype", ODS_HEAD)
        archive.writestr("META-INF/manifest.xml", "<m/>")
        with archive.open("content.xml", "w") as part:
            part.write(begin.encode())
            for block in (body.encode(),) if isinstance(body, str) else body:
                part.write(block)
            part.write(end.encode())
    return buffer.getvalue()


def repeated(rows: int, columns: int) -> str:
    cell = f'<table:table-cell table:number-columns-repeated="{columns}"><text:p>a</text:p></table:table-cell>'
    return f'<table:table-row table:number-rows-repeated="{rows}">{cell}</table:table-row>'


def parquet_of(columns: Mapping[str, object], rows: int) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    places = pa.repeat(pa.scalar(0, pa.int32()), rows)
    made = {name: pa.DictionaryArray.from_arrays(places, [value]) for name, value in columns.items()}
    pq.write_table(pa.table(made), buffer, compression="zstd")
    return buffer.getvalue()


ODS: dict[str, tuple[Callable[[], bytes], str]] = {
    "a row that stands a million times": (
        lambda: document(repeated(1, 2) + repeated(1_000_000, 900)),
        "more than 20,000,000 cells",
    ),
    "a row that stands ever so often": (lambda: document(repeated(999_999_999, 1)), "a sheet has 1,048,576 at most"),
    "a row that stands more often than can be counted": (lambda: document(repeated(10**40, 1)), "damaged"),
    "a cell that stands ever so often": (lambda: document(repeated(1, 999_999_999)), "more than 1,000 columns"),
    "laughs in an open document": (
        lambda: document(repeated(1, 1), before=f"<!DOCTYPE x [{laughs()}]>"),
        "declares a document type",
    ),
    "spaces that one element stands for": (
        lambda: document(
            '<table:table-row><table:table-cell><text:p><text:s text:c="999999999"/></text:p>'
            "</table:table-cell></table:table-row>"
        ),
        "a cell of more than 131,072 characters",
    ),
    "a bomb of spaces": (lambda: document(itertools.repeat(SPACES, 200)), "unpacks to more than"),
    "tables without end": (
        lambda: document("</table:table>" + '<table:table table:name="b"></table:table>' * 100_000 + "<table:table >"),
        "more than 1,000 merged cells or sheets",
    ),
    "elements within elements of a document": (lambda: document("<a>" * 1_000_000), "damaged"),
    "elements that are no cells of a document": (lambda: document("<a/>" * 3_000_000), "something else|unpacks to"),
}

JSON: dict[str, tuple[Callable[[], bytes], str]] = {
    "lists within lists": (lambda: b'[{"a":' + b"[" * 3_000_000, "cannot be read as JSON"),
    "objects without end": (lambda: b"[" + b"{}," * 10_000_000, "more than 1,048,576 rows"),
    "a text without end": (lambda: b'[{"a": "' + b"a" * 50_000_000, "cannot be read as JSON"),
    "a number without end": (lambda: b'[{"a": ' + b"1" * 50_000_000, "cannot be read as JSON"),
    "names without end": (
        lambda: b"[" + b",".join(b'{"%d": 1}' % number for number in range(100_000)) + b"]",
        "more than 1,000 columns",
    ),
}

PARQUET: dict[str, tuple[Callable[[], bytes], str]] = {
    "no Parquet at all": (lambda: b"PAR1" + b"\x15\x04" * 500_000 + b"PAR1", "damaged"),
    "two million rows that take no place": (lambda: parquet_of({"id": 1}, 2_000_000), "more than 1,048,576 rows"),
    "columns of Parquet without end": (
        lambda: parquet_of({f"c{number}": 1 for number in range(1_100)}, 1),
        "more than 1,000 columns",
    ),
    "long texts that take no place": (
        lambda: parquet_of({"id": "a" * 200_000, "name": "b" * 100_000}, 20_000),
        "a cell of more than 131,072 characters",
    ),
}

CSV: dict[str, tuple[Callable[[], bytes], str]] = {
    "a line of ten megabytes": (lambda: b"a" * 10_000_000, "a line of more than 2,097,152 characters"),
    "a line of ten megabytes of commas": (lambda: b"," * 10_000_000, "a line of more than|columns"),
    "a cell of a megabyte": (lambda: b"a" * 1_000_000 + b"\nb", "a cell of more than 131,072 characters"),
    "a million quotes": (lambda: b'"' * 1_000_000, "a cell of more than|quotation mark"),
    "a million and one quotes": (lambda: b'Id,"' + b'"' * 1_000_000, "a cell of more than|quotation mark"),
    "a row of many lines": (lambda: b'"a\n",' * 2_000_000, "more than 1,000 columns|a line of more than"),
    "NUL bytes": (lambda: b"Id,Name\n" + bytes(1_000_000), "not a text file|one line|a line of more|no text"),
    "NUL bytes late": (lambda: b"Id,Name\n1,a\n" * 10_000 + b"\0", "is not a text file"),
    "a hundred thousand columns": (lambda: b"a," * 100_000 + b"\n1\n", "more than 1,000 columns"),
    "ten million empty lines": (lambda: b"\n" * 10_000_000, "more than 1,048,576 lines|is empty"),
    "ten million empty lines below a table": (
        lambda: b"Id,Name\n1,a\n" + b"\r\n" * 10_000_000,
        "more than 1,048,576 lines",
    ),
    "ten million lines": (lambda: b"1,a\n" * 10_000_000, "more than 1,048,576 lines"),
    "UTF-16 without its mark, broken": (
        lambda: "Id,Name\n1,a\n".encode("utf-16-le") + b"\xd8\xd8" * 100,
        "is not a text file",
    ),
}
