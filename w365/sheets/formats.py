"""What a cell shows of its number: the text, and whether that is what was typed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from w365.sheets import limits
from w365.sheets.limits import refuse
from w365.sheets.lines import Doubt
from w365.sheets.markup import read_elements
from w365.sheets.package import Package

SINCE_1900, SINCE_1904 = dt.datetime(1899, 12, 30), dt.datetime(1904, 1, 1)  # noqa: DTZ001 - sheets have no zones

_DATES = (*range(14, 23), *range(27, 37), 45, 47, *range(50, 59))
_KNOWN = {
    **dict.fromkeys(_DATES, "yyyy-mm-dd"),
    1: "0",
    2: "0.00",
    3: "#,##0",
    4: "#,##0.00",
    9: "0%",
    10: "0.00%",
    11: "0.00E+00",
    12: "# ?/?",
    13: "# ??/??",
    **dict.fromkeys(range(5, 9), "$#,##0.00"),
    **dict.fromkeys(range(37, 45), "#,##0.00"),
    46: "[h]:mm:ss",
    48: "##0.0E+0",
}
"""Formats that have a number only (ECMA-376 part 1, 18.8.30)."""

_EXACT = 10**15
"""Excel keeps 15 digits of a number."""

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|[_*].|\[\$(?P<money>[^\]-]*)[^\]]*\]|\[(?P<condition>[<>=]+[^\]]*)\]'
    r"|(?P<span>\[(?:h+|m+|s+)\])|\[[^\]]*\]|(?P<general>General|@)|(?P<exponent>E[+-])"
    r"|(?P<date>[dmyhsbge]+|AM/PM|A/P)|(?P<digit>[0#?])|(?P<mark>.)",
    re.IGNORECASE | re.DOTALL,
)
_LONGEST = 300
_MONEY = "$€£¥₹"


@dataclass(frozen=True, slots=True)
class Shape:
    """A section of a format for numbers: digits, and what stands between them."""

    tokens: tuple[str, ...] = ()
    decimals: int = 0
    doubt: Doubt | None = None
    is_grouped: bool = False
    is_percent: bool = False


@dataclass(frozen=True, slots=True)
class Format:
    """`doubt` is of every number in this format; a number is shown by its section, of which none means as it is."""

    sections: tuple[Shape, ...] = ()
    doubt: Doubt | None = None
    is_span: bool = False

    def show(self, number: float) -> tuple[str, Doubt | None]:
        if not self.sections:
            return show_plainly(number)
        return _show(number, self._section_of(number), has_sign=len(self.sections) == 1)

    def _section_of(self, number: float) -> Shape:
        place = 1 if number < 0 else 2 if number == 0 else 0
        return self.sections[place] if place < len(self.sections) else self.sections[0]


PLAIN = Format()


def read_formats(package: Package, part: str | None) -> Sequence[Format]:
    """Say of each format of cells, by its number, what it shows of a number."""
    if part is None:
        return ()
    codes = dict(_KNOWN)
    kinds: dict[str, Format] = {}
    formats: list[Format] = []
    for word, parent, attributes in read_elements(package.name, package.blocks(part, limits.MOST_STYLE_BYTES)):
        if word == "numFmt" and parent == "numFmts":
            codes[_read_number(attributes.get("numFmtId", ""))] = attributes.get("formatCode", "General")
        elif word == "xf" and parent == "cellXfs":
            code = codes.get(_read_number(attributes.get("numFmtId", "0")), "General")
            formats.append(kinds.get(code) or kinds.setdefault(code, read_format(code)))
        if len(formats) > limits.MOST_FORMATS or len(codes) > limits.MOST_FORMATS:
            refuse(package.name, f"has more than {limits.MOST_FORMATS:,} formats")
        if word == "cellStyles":
            break
    return formats


def _read_number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else -1


def read_format(code: str) -> Format:
    """Read a format such as `00000`, `yyyy-mm-dd` or `[h]:mm`."""
    if len(code) > _LONGEST:
        return Format(doubt=Doubt.UNKNOWN)
    sections: list[list[re.Match[str]]] = [[]]
    for token in _TOKEN.finditer(code):
        if token["mark"] == ";":
            sections.append([])
        else:
            sections[-1].append(token)
    if any(token["date"] or token["span"] for token in sections[0]):
        return Format(doubt=Doubt.DATE, is_span=any(token["span"] for token in sections[0]))
    if any(token["condition"] for section in sections for token in section):
        return Format(doubt=Doubt.DRESSED)
    if len(sections) == 1 and any(token["general"] for token in sections[0]) and len(sections[0]) == 1:
        return PLAIN
    return Format(tuple(_read_section(section) for section in sections[:3]))


def _read_section(section: Sequence[re.Match[str]]) -> Shape:
    marks = "".join(token["mark"] or "" for token in section)
    first, last = _ends([bool(token["digit"]) for token in section])
    inner = section[first : last + 1]
    point = next((place for place, token in enumerate(section) if token["mark"] == "."), len(section))
    decimals = sum(bool(token["digit"]) for token in section[point:])
    is_grouped = any(token["mark"] == "," for token in inner)
    doubt = None
    if any(token["exponent"] for token in section):
        doubt = Doubt.EXPONENT
    elif any(token["mark"] == "/" for token in inner):
        doubt = Doubt.FRACTION
    elif is_grouped or "," in marks or "%" in marks or any(map(_is_money, section)):
        doubt = Doubt.DRESSED
    elif not any(token["digit"] or token["general"] for token in section):
        doubt = Doubt.CONCEALED
    tokens = tuple(map(_text_of, section[:point]))
    return Shape(tokens, decimals, doubt, is_grouped, "%" in marks)


def _ends(digits: Sequence[bool]) -> tuple[int, int]:
    places = [place for place, is_digit in enumerate(digits) if is_digit]
    return (places[0], places[-1]) if places else (0, -1)


def _is_money(token: re.Match[str]) -> bool:
    return bool(token["money"]) or (token["mark"] or " ") in _MONEY


def _text_of(token: re.Match[str]) -> str:
    """What a token shows; a digit's place is marked with what no text of XML holds."""
    if token["digit"]:
        return "\0" + token["digit"]
    if token["general"]:
        return "\0#"
    text = token["quoted"] or token["escaped"] or token["money"] or token["mark"] or ""
    return "" if text == "," and token["mark"] else text


def _show(number: float, shape: Shape, *, has_sign: bool) -> tuple[str, Doubt | None]:
    if shape.doubt not in (None, Doubt.DRESSED):
        return show_plainly(number)[0], shape.doubt
    value = abs(Decimal(repr(number))) * (100 if shape.is_percent else 1)
    rounded = value.quantize(Decimal(1).scaleb(-shape.decimals), ROUND_HALF_UP) if value < _EXACT else value
    doubt = shape.doubt or (Doubt.DRESSED if rounded != value else None)
    if value >= _EXACT:
        return show_plainly(number)[0], Doubt.EXPONENT
    whole, _, decimals = f"{rounded:f}".partition(".")
    if shape.is_grouped:
        whole = f"{int(whole):,}"
    shown = _fill(shape.tokens, whole) + (f".{decimals}" if decimals else "")
    sign = "-" if number < 0 and has_sign else ""
    return sign + shown, doubt if any(map(str.isdigit, shown)) else Doubt.CONCEALED


def _fill(tokens: Sequence[str], digits: str) -> str:
    """Put digits from the right into their places; what is left stands before the first place."""
    places = [place for place, token in enumerate(tokens) if token.startswith("\0")]
    shown, left = list(tokens), digits.lstrip("0") if tokens and places and digits == "0" else digits
    for place in reversed(places):
        rest, digit = left[:-1], left[-1:]
        shown[place] = digit or {"\x000": "0", "\x00?": " "}.get(tokens[place], "")
        left = rest
    if places:
        shown[places[0]] = left + shown[places[0]]
    return "".join(shown).strip()


def show_plainly(number: float) -> tuple[str, Doubt | None]:
    """Show a number without a format: the 1042 of an id is “1042”, never “1042.0”.

    One too long for Excel is written with its exponent, so that nobody takes the digits it lost for an id.
    """
    if abs(number) >= _EXACT:
        return f"{number:.5E}", Doubt.EXPONENT
    if number == int(number):
        return str(int(number)), None
    text = f"{number:.15g}"
    return text.upper(), Doubt.EXPONENT if "e" in text else None


def show_date(days: float, since: dt.datetime, *, is_span: bool) -> str:
    """Show a number of days as Excel means it, to the millisecond. Excel's 1900 has a 29 February (number 60).

    ValueError or OverflowError for what Excel has no date for.
    """
    rounded = dt.timedelta(milliseconds=round(days * 86_400_000))
    if is_span:
        return str(rounded)
    if rounded < dt.timedelta():
        raise ValueError(days)
    if rounded < dt.timedelta(days=1):
        return (since + rounded).time().isoformat()
    at = since + rounded + dt.timedelta(days=since == SINCE_1900 and 0 < days < 60)
    return at.date().isoformat() if at.time() == dt.time() else at.isoformat(sep=" ")
