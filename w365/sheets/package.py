"""The archive that a workbook is: its parts are unpacked block by block, and counted as they come out.

What the archive's directory says of sizes binds nobody.
"""

from __future__ import annotations

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
WORKBOOK = "xl/workbook.xml"
_DIRECTORY_ENTRY = b"PK\x01\x02"
_AS_CSV = "Save the table as .xlsx or as “CSV UTF-8” and choose that file."
_HEADER_BYTES, _LONGEST_SIGN = 30, 8


@dataclass(frozen=True, slots=True)
class Package:
    """The parts of a workbook by their names."""

    name: str
    content: Content
    parts: frozenset[str]

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
    if WORKBOOK not in names:
        refuse(name, "is an archive, but no Excel workbook", _AS_CSV)
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
    return Package(name, content, names)


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
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, RuntimeError) as error:
        refuse_damaged(name, str(error)[:80])
