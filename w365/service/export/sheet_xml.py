"""The parts of an Excel workbook (Office Open XML) as text: cells, what stands around them, and the small files.

Every text is an inline string, so that a row can be written as it comes and none can be run as a formula.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from xml.sax.saxutils import escape

HEADER, TIME, NUMBER, WRAP = 1, 2, 3, 4
"""Places in the list of formats below; 0 is no format."""

_LONGEST_TEXT = 32_767
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
# Excel writes what XML cannot hold as _x001F_, so that a text which looks like that is escaped too.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LOOKS_ESCAPED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_FIRST_DAY = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - Excel knows no zones

RELATIONSHIPS = (
    f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
)
_FONT = '<sz val="11"/><name val="Calibri"/><family val="2"/>'
_NO_BORDER = "<left/><right/><top/><bottom/><diagonal/>"
_PLAIN = 'fontId="0" fillId="0" borderId="0" xfId="0"'
STYLES = (
    f'{_HEAD}<styleSheet xmlns="{_MAIN}"><numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy-mm-dd hh:mm:ss"/>'
    '<numFmt numFmtId="165" formatCode="#,##0.######"/></numFmts>'
    f'<fonts count="2"><font>{_FONT}</font><font><b/>{_FONT}</font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    f'<borders count="2"><border>{_NO_BORDER}</border>'
    '<border><left/><right/><top/><bottom style="thin"><color auto="1"/></bottom><diagonal/></border></borders>'
    f'<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="5">'
    f'<xf numFmtId="0" {_PLAIN}/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="1" xfId="0" applyFont="1" applyBorder="1"/>'
    f'<xf numFmtId="164" {_PLAIN} applyNumberFormat="1"/>'
    f'<xf numFmtId="165" {_PLAIN} applyNumberFormat="1"/>'
    f'<xf numFmtId="0" {_PLAIN} applyAlignment="1"><alignment vertical="top" wrapText="1"/></xf></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


def workbook(sheets: Sequence[tuple[str, str]]) -> str:
    """List the sheets, each with the range that its filter is on, empty for none."""
    listed = "".join(
        f'<sheet name="{_quoted(name)}" sheetId="{n}" r:id="rId{n}"/>' for n, (name, _) in enumerate(sheets, start=1)
    )
    names = "".join(
        f'<definedName name="_xlnm._FilterDatabase" localSheetId="{place}" hidden="1">'
        f"{escape(_absolute(name, area))}</definedName>"
        for place, (name, area) in enumerate(sheets)
        if area
    )
    defined = f"<definedNames>{names}</definedNames>" if names else ""
    return f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets>{defined}</workbook>'


def content_types(sheets: int) -> str:
    """Say what each file is."""
    listed = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_KIND}.worksheet+xml"/>'
        for n in range(1, sheets + 1)
    )
    return (
        f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_KIND}.styles+xml"/>{listed}</Types>'
    )


def workbook_relationships(sheets: int) -> str:
    places = range(1, sheets + 1)
    listed = "".join(
        f'<Relationship Id="rId{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in places
    )
    styles = f'<Relationship Id="rId{sheets + 1}" Type="{_OFFICE}/styles" Target="styles.xml"/>'
    return f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{listed}{styles}</Relationships>'


def sheet_start(widths: Sequence[int], formats: Sequence[int] = ()) -> str:
    """Begin a sheet whose first row stays in sight; the widths are in characters."""
    columns = "".join(
        f'<col min="{n}" max="{n}" width="{width}.7109375"{_style_of(formats, n - 1)} customWidth="1"/>'
        for n, width in enumerate(widths, start=1)
    )
    return (
        f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/><selection pane="bottomLeft"/>'
        f'</sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/><cols>{columns}</cols><sheetData>'
    )


def sheet_end(filtered: str) -> str:
    return f'</sheetData><autoFilter ref="{filtered}"/></worksheet>' if filtered else "</sheetData></worksheet>"


def row(number: int, cells: str) -> str:
    return f'<row r="{number}">{cells}</row>'


def text_cell(place: str, text: str, style: int = 0) -> str:
    """Write a text, cut where a cell can hold no more."""
    if len(text) > _LONGEST_TEXT:
        text = f"{text[: _LONGEST_TEXT - 1]}…"
    fit = escape(_UNFIT.sub(_escape_unfit, _LOOKS_ESCAPED.sub("_x005F_", text) if "_x" in text else text))
    kept = ' xml:space="preserve"' if text != text.strip() or "\n" in text else ""
    return f'<c r="{place}"{_style(style)} t="inlineStr"><is><t{kept}>{fit}</t></is></c>'


def number_cell(place: str, value: float, style: int = 0) -> str:
    return f'<c r="{place}"{_style(style)}><v>{value}</v></c>'


def flag_cell(place: str, *, value: bool) -> str:
    return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'


def time_cell(place: str, at: dt.datetime) -> str:
    """Write a time in UTC as Excel counts it, in days."""
    since = at.astimezone(dt.UTC).replace(tzinfo=None) - _FIRST_DAY
    return number_cell(place, since.days + (since.seconds + since.microseconds / 1e6) / 86_400, TIME)


def column_letters(place: int) -> str:
    """Name the column at a place counted from 0: A, B, …, Z, AA."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _style(style: int) -> str:
    return f' s="{style}"' if style else ""


def _style_of(formats: Sequence[int], place: int) -> str:
    return f' style="{formats[place]}"' if place < len(formats) and formats[place] else ""


def _escape_unfit(found: re.Match[str]) -> str:
    return f"_x{ord(found[0]):04X}_"


def _quoted(name: str) -> str:
    return escape(name, {'"': "&quot;"})


def _absolute(sheet: str, area: str) -> str:
    return f"'{sheet}'!" + re.sub(r"([A-Z]+)(\d+)", r"$\1$\2", area)
