"""In which encoding a text file is written, by all of it, and how its words look in the others."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from w365.sheets.limits import MOST_LINES, MOST_ROWS, refuse
from w365.sheets.lines import Content, open_bytes

ENCODINGS: Mapping[str, str] = {
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "cp1252": "Windows-1252",
    "cp1250": "Windows-1250",
    "cp1251": "Windows-1251",
    "cp1253": "Windows-1253",
    "cp1254": "Windows-1254",
    "cp850": "MS-DOS (850)",
    "mac_roman": "Macintosh",
    "iso8859-15": "ISO 8859-15",
    "shift_jis": "Shift JIS",
    "gb18030": "GB 18030",
    "big5": "Big5",
    "euc_kr": "EUC-KR",
}
"""What can be chosen: Python's name, and what people call it."""

_GUESSED = ("cp1252", "cp1251", "cp850", "mac_roman", "cp1250")
"""What is guessed where a file is no Unicode, the likeliest first; the others are so alike that only a person knows."""

_WIDE = ("utf-16", "utf-16-le", "utf-16-be")
_USUALLY = 0.5
"""How much likelier the first one is from the beginning: half a letter."""

_BLOCK = 1 << 20
_WORDS = re.compile(rb"[^\x00-\x20,;|\"]{0,40}[\x80-\xff][^\x00-\x1f,;|\"]{0,40}")
_MOST_WORDS, _SHOWN_WORDS = 2_000, 6
_DO = "Save the table as .xlsx or as “CSV UTF-8”, or choose its encoding."


@dataclass(slots=True)
class _Look:
    """What the bytes of a file say: characters that only UTF-8 writes so, bytes that it does not, and some words."""

    good: int = 0
    bad: int = 0
    words: list[bytes] = field(default_factory=list)


def find_encoding(name: str, content: Content, chosen: str = "", likely: str = "") -> tuple[str, Mapping[str, str]]:
    """Give Python's name of the encoding, and by encoding how the first words look that depend on it.

    `chosen` is what a person said, `likely` what was said of an earlier file; InputError where the file is no text.
    """
    with open_bytes(content) as file:
        head = file.read(4096)
    if chosen and chosen not in ENCODINGS:
        refuse(name, f"cannot be read as “{chosen}”", f"Encodings: {', '.join(ENCODINGS.values())}.")
    wide = _find_wide(head) if chosen in {"", "utf-16"} else ""
    if wide or chosen == "utf-16":
        return _check_wide(name, content, wide or "utf-16-le"), {}
    look = _look(name, content)
    if look is None:
        _refuse(name)
    samples = _show_words(look.words)
    if chosen:
        return chosen, samples
    if look.bad <= look.good:
        return "utf-8-sig", samples
    if likely in samples and likely != "utf-8-sig":
        return likely, samples
    return _guess(look.words) or _refuse(name), samples


def _find_wide(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" not in head:
        return ""
    even, odd = head[::2].count(0), head[1::2].count(0)
    return "utf-16-le" if odd >= even else "utf-16-be"


def _check_wide(name: str, content: Content, encoding: str) -> str:
    """Decode the whole of it once, and refuse more lines than a table has."""
    decoder = codecs.getincrementaldecoder(encoding)()
    counter = _LineCounter(name)
    with open_bytes(content) as file:
        try:
            while block := file.read(_BLOCK):
                text = decoder.decode(block)
                if "\0" in text:
                    _refuse(name)
                counter.count(text.count("\n"), text.count("\r"), has_quotes='"' in text)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            _refuse(name)
    return encoding


def _look(name: str, content: Content) -> _Look | None:
    """Look at every byte once; None for what is no text."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
    look, counter = _Look(), _LineCounter(name)
    with open_bytes(content) as file:
        while block := file.read(_BLOCK):
            if b"\0" in block:
                return None
            counter.count(block.count(b"\n"), block.count(b"\r"), has_quotes=b'"' in block)
            text = decoder.decode(block)
            if not block.isascii():
                _count(look, text, block)
    _count(look, decoder.decode(b"", final=True), b"")
    return look


def _count(look: _Look, text: str, block: bytes) -> None:
    bad = len(_BAD.findall(text))
    look.bad += bad
    look.good += len(_NOT_ASCII.findall(text)) - bad
    if len(look.words) < _MOST_WORDS:
        look.words += _WORDS.findall(block)[: _MOST_WORDS - len(look.words)]


_BAD, _NOT_ASCII = re.compile("[\udc80-\udcff]"), re.compile(r"[^\x00-\x7f]")


class _LineCounter:
    """Refuses more lines than a table has before anything is made of them."""

    def __init__(self, name: str) -> None:
        self._name, self._lines, self._most = name, 0, MOST_ROWS

    def count(self, feeds: int, returns: int, *, has_quotes: bool) -> None:
        self._most = MOST_LINES if has_quotes else self._most  # a quoted cell may hold several lines
        self._lines += max(feeds, returns)
        if self._lines > self._most:
            refuse(self._name, f"has more than {MOST_ROWS:,} lines")


def _guess(words: Sequence[bytes]) -> str:
    """Choose the encoding in which the words are the most like words; "" where none is."""
    likeness = {encoding: _liken(words, encoding) for encoding in _GUESSED}
    best = max(_GUESSED, key=lambda encoding: likeness[encoding] + _USUALLY * (encoding == _GUESSED[0]))
    return best if likeness[best] > 0 else ""


def _liken(words: Iterable[bytes], encoding: str) -> float:
    """Say how much texts are like words: letters of one script that go on as letters do."""
    total = 0.0
    for word in words:
        try:
            text = word.decode(encoding)
        except UnicodeDecodeError:
            total -= 2
            continue
        around = zip(f" {text[:-1]}", text, f"{text[1:]} ", strict=True)
        total += sum(_weigh(before, mark, after) for before, mark, after in around)
    return total


def _weigh(before: str, mark: str, after: str) -> float:
    """How likely a character is where it stands; nothing for what every encoding has alike."""
    if mark.isascii():
        return 0
    if not mark.isalpha():
        return 0.2 if mark in _USUAL else -1
    beside = [other for other in (before, after) if other.isalpha()]
    is_odd = mark.isupper() and before.isalpha() and (before.islower() or after.islower())
    if is_odd or any(_script(other) != _script(mark) for other in beside):
        return -1
    if _script(mark) == "LATIN":
        return (1 if mark in _COMMON else 0.6) if any(other.isascii() for other in beside) else 0
    return 1 if mark in _CYRILLIC else -0.5


_USUAL = "€–—„“”‚‘’»«…·®©°§ "
_COMMON = "äöüßÄÖÜéèêëáàâåæøñçíóúõãôîïœÉÅØłśżźćęąńšžčřěýůőű"


_CYRILLIC = frozenset(map(chr, range(ord("А"), ord("я") + 1))) | frozenset("ёЁіІїЇєЄўЎ")


def _script(mark: str) -> str:
    return unicodedata.name(mark, "").partition(" ")[0] if not mark.isascii() else "LATIN"


def _show_words(words: Sequence[bytes]) -> Mapping[str, str]:
    """Show the first different words in every encoding that has them."""
    first = list(dict.fromkeys(word.strip() for word in words))[:_SHOWN_WORDS]
    shown = {
        encoding: " · ".join(word.decode(encoding, "replace") for word in first)
        for encoding in ENCODINGS
        if encoding not in _WIDE
    }
    return {encoding: text for encoding, text in shown.items() if text and text.count("\ufffd") * 4 < len(text)}


def _refuse(name: str) -> NoReturn:
    refuse(name, "is not a text file: it is neither UTF-8, UTF-16 nor Windows-1252", _DO)
