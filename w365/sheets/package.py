"""The archive that a workbook is: its parts are unpacked block by block, and counted as they come out.

What the archive's directory says of sizes binds nobody.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from w365.sheets import limits
from w365.sheets.limits import refuse, refuse_damaged
from w365.sheets.lines import Content, open_bytes

_BLOCK = 1 << 16
WORKBOOK, DOCUMENT = "xl/workbook.xml", "content.xml"
_OTHERS = {
    "xl/workbook.bin": "is a binary workbook of Excel (.xlsb)",
    "word/document.xml": "is a Word document",
    "ppt/presentation.xml": "is a PowerPoint presentation",
    "Index/Document.iwa": "is a document of Apple Numbers or Pages",
    "Index.zip": "is a document of Apple Numbers or Pages",
}
_SHEETS = b"application/vnd.oasis.opendocument.spreadsheet"
_LONGEST_MATCH = 1 << 14
_DIRECTORY_ENTRY = b"PK\x01\x02"
_AS_CSV = "Save the table as .xlsx or as “CSV UTF-8” and choose that file."
_HEADER_BYTES, _LONGEST_SIGN = 30, 32


@dataclass(frozen=True, slots=True)
class Package:
    """The parts of a workbook by their names."""

    name: str
    content: Content
    parts: frozenset[str]

    @property
    def is_workbook(self) -> bool:
        return WORKBOOK in self.parts

    @property
    def is_document(self) -> bool:
        """Whether it is a table of an open document (.ods)."""
        if not {"mimetype", DOCUMENT, "META-INF/manifest.xml"} <= self.parts:
            return False
        return b"".join(self.blocks("mimetype")).startswith(_SHEETS)

    def blocks(self, part: str, most: int = limits.MOST_BYTES) -> Iterator[bytes]:
        """Unpack a part; InputError when it is damaged, or more comes out than may."""
        unpacked = 0
        with _told(self.name), open_bytes(self.content) as file, zipfile.ZipFile(file) as archive:
            packed = archive.getinfo(part).compress_size
            with archive.open(part) as opened:
                while block := opened.read(_BLOCK):
                    unpacked += len(block)
                    if unpacked > min(most, max(limits.FREE_BYTES, limits.MOST_TIMES * packed)):
                        refuse(self.name, f"unpacks to more than {unpacked >> 20:,} MB", "Save the table as CSV.")
                    yield block

    def find(self, part: str, pattern: re.Pattern[bytes], most: int) -> list[re.Match[bytes]]:
        """Unpack a part and give what is like the pattern, of which each is shorter than a block; `most` at most."""
        matches: list[re.Match[bytes]] = []
        before = b""
        for block in self.blocks(part):
            whole = before + block
            cut = max(whole.rfind(b"<"), len(whole) - _LONGEST_MATCH)
            matches += pattern.finditer(whole[:cut])
            before = whole[cut:]
            if len(matches) > most:
                refuse(self.name, f"has more than {most:,} merged cells or sheets")
        return matches + list(pattern.finditer(before))

    def count(self, part: str, *signs: bytes) -> Counter[bytes]:
        """Unpack a part and count how often each of the signs stands in it, without making anything of it."""
        before, counts = b"", Counter[bytes]()
        for block in self.blocks(part):
            for sign in signs:
                counts[sign] += (before[len(before) + 1 - len(sign) :] + block).count(sign)
            before = block[-_LONGEST_SIGN:]
        return counts


def open_package(name: str, content: Content) -> Package:
    """Look at the archive's directory; InputError for what is no workbook, or one that no program for tables made."""
    _count_entries(name, content)
    with _told(name), open_bytes(content) as file, zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
    names = frozenset(entry.filename for entry in entries)
    if len(entries) > limits.MOST_PARTS:
        refuse(name, f"has more than {limits.MOST_PARTS:,} parts or sheets")
    if sum(entry.file_size for entry in entries) > limits.MOST_BYTES:
        refuse(name, f"unpacks to more than {limits.MOST_BYTES >> 20:,} MB", "Save the table as CSV.")
    if any(entry.flag_bits & 1 for entry in entries):
        refuse(name, "is protected with a password", _AS_CSV)
    if any(entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for entry in entries):
        refuse_damaged(name, "it is packed in a way that no workbook is")  # and that unpacks without a bound
    entries.sort(key=lambda entry: entry.header_offset)
    ends = (entry.header_offset + _HEADER_BYTES + entry.compress_size for entry in entries)
    if any(end > after.header_offset for end, after in zip(ends, entries[1:], strict=False)):
        refuse_damaged(name, "its parts lie upon one another")
    package = Package(name, content, names)
    if not package.is_workbook:
        _refuse_other(package)
    return package


def _refuse_other(package: Package) -> None:
    """Refuse an archive that is neither kind of workbook, by what it is."""
    if not package.is_document:
        what = next((words for part, words in _OTHERS.items() if part in package.parts), "")
        refuse(package.name, what or "is an archive, but no Excel workbook", _AS_CSV)
    if b"encryption-data" in b"".join(package.blocks("META-INF/manifest.xml", limits.MOST_STYLE_BYTES)):
        refuse(package.name, "is protected with a password", _AS_CSV)


def _count_entries(name: str, content: Content) -> None:
    """Count entries in the bytes: each that is read from the directory takes a hundred times as much memory."""
    entries, before = 0, b""
    with open_bytes(content) as file:
        for block in iter(lambda: file.read(limits.LONGEST_TAG), b""):
            entries += (before + block).count(_DIRECTORY_ENTRY)
            before = block[-3:]
    if entries > limits.MOST_SIGNATURES:
        refuse(name, f"has more than {limits.MOST_PARTS:,} parts or sheets")


@contextmanager
def _told(name: str) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, LookupError, ValueError, RuntimeError, struct.error) as error:
        refuse_damaged(name, str(error)[:80])
