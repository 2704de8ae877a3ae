"""The texts of a workbook, which its cells name by their numbers. They lie in a file without a name, not in memory."""

from __future__ import annotations

import mmap
import re
import tempfile
from array import array

from w365.sheets import limits
from w365.sheets.limits import refuse, refuse_damaged
from w365.sheets.markup import Attributes, read_markup
from w365.sheets.package import Package

_ESCAPED = re.compile(r"_x(0009|000A|000D|005F)_", re.IGNORECASE)
_MOST_OF_TEXT = 12
"""Elements that say how one text looks: its font, size, colour and the like."""


class Texts:
    """Every text by its number."""

    def __init__(self, package: Package, part: str | None) -> None:
        self._ends = array("Q", [0])
        self._bytes: mmap.mmap | bytes = b""
        if part:
            self._read(package, part)

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> str:
        return self._bytes[self._ends[number] : self._ends[number + 1]].decode()

    def _read(self, package: Package, part: str) -> None:
        reader = _TextReader(package.name)
        with tempfile.TemporaryFile() as file:
            for _ in read_markup(package.name, package.blocks(part), reader.start, reader.end, reader.text):
                for text in reader.texts:
                    content = text.encode()
                    file.write(content)
                    self._ends.append(self._ends[-1] + len(content))
                reader.texts.clear()
            file.flush()
            if self._ends[-1]:
                self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


class _TextReader:
    """Collects what stands in `t`, but for what says how it is spoken (`rPh`)."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._depth = self._strays = self._count = self._length = 0
        self._is_text = self._is_spoken = False
        self._parts: list[str] = []
        self.texts: list[str] = []

    def start(self, tag: str, _attributes: Attributes) -> None:
        self._depth += 1
        if tag == "t" or tag.endswith(":t"):
            self._is_text = not self._is_spoken
        elif self._depth != 2:
            self._is_spoken |= tag.endswith("rPh")
            self._strays += 1
            most = limits.MOST_STRAYS + _MOST_OF_TEXT * self._count
            if self._depth > limits.DEEPEST or self._strays > most:
                refuse_damaged(self._name, "its list of texts holds something else")

    def end(self, tag: str) -> None:
        if self._depth == 2:
            self._end_text()
        elif self._is_text:
            self._is_text = False
        elif tag.endswith("rPh"):
            self._is_spoken = False
        self._depth -= 1

    def text(self, part: str) -> None:
        if self._is_text:
            self._parts.append(part)
            self._length += len(part)
            if self._length > limits.LONGEST_CELL:
                refuse(self._name, f"has a cell of more than {limits.LONGEST_CELL:,} characters")

    def _end_text(self) -> None:
        self._count += 1
        if self._count > limits.MOST_TEXTS:
            refuse_texts(self._name)
        self.texts.append(plain_text("".join(self._parts)))
        self._parts.clear()
        self._length = 0


def refuse_texts(name: str) -> None:
    refuse(name, f"has more than {limits.MOST_TEXTS:,} different texts")


def plain_text(text: str) -> str:
    """Take back how Excel writes what XML has no place for."""
    return _ESCAPED.sub(lambda escape: chr(int(escape[1], 16)), text) if "_x" in text else text
