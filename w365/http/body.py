"""Reading an answer's body with bounds: bytes on the wire, bytes unpacked, time, and what JSON may hold."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterable
from typing import Any, NoReturn

from w365.http import deadline


class Truncated(Exception):
    """The body ends before its end; asking again may help."""


class TooSlow(Exception):
    """The body did not arrive before the deadline of the exchange."""


class Unreadable(Exception):
    """The body cannot be what was asked for; ``args[0]`` completes "answered with …"."""


def read_bounded(chunks: Iterable[bytes], encoding: str, limit: int) -> bytes:
    """Join ``chunks``, unpack gzip, and never hold more than ``limit`` bytes."""
    unpacker = _unpacker(encoding)
    parts: list[bytes] = []
    size = 0
    for chunk in chunks:
        piece = unpacker.decompress(chunk, limit - size + 1) if unpacker else chunk
        size += len(piece)
        if size > limit:
            raise Unreadable(f"more than {limit // (1024 * 1024) or 1} MiB")
        parts.append(piece)
        if deadline.has_passed():
            raise TooSlow
    if unpacker and size and not unpacker.eof:
        raise Truncated
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _unpacker(encoding: str) -> Any:
    if encoding in {"", "identity"}:
        return None
    if encoding in {"gzip", "x-gzip"}:
        return _Gunzip()
    raise Unreadable(f"data packed in a way nobody asked for ({encoding[:40]!a})")


class _Gunzip:
    """zlib's decompressor with its errors in our words."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    def decompress(self, data: bytes, limit: int) -> bytes:
        try:
            return self._zlib.decompress(data, limit)
        except zlib.error:
            raise Unreadable("gzip that cannot be unpacked") from None


class Unusable:
    """Stands in JSON for a value that nobody can use: no number of ours, or one of two that one key was given.

    It is neither text nor number, so that a record is refused for it where the field matters, and only there.
    """

    def __init__(self, why: str) -> None:
        self.why = why

    def __repr__(self) -> str:
        return self.why


def parse_json(content: bytes) -> Any:
    """Return the JSON value in ``content``, in which a value may be Unusable.

    A byte order mark is accepted; NaN, infinities, bad UTF-8 are not.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("text that is not valid UTF-8") from None
    try:
        return json.loads(
            text,
            parse_constant=_refuse_constant,
            parse_float=_read_fraction,
            parse_int=_read_whole,
            object_pairs_hook=_read_object,
        )
    except RecursionError:
        raise Unreadable("data nested too deeply") from None
    except json.JSONDecodeError as error:
        _refuse_text(text, error.pos)


def _refuse_text(text: str, position: int) -> NoReturn:
    stripped = text.strip()
    if not stripped:
        raise Unreadable("nothing instead of data") from None
    if stripped[0] == "<":
        raise Unreadable("a web page instead of data") from None
    if stripped[0] in "{[" and (position >= len(text.rstrip()) or stripped[-1] not in "}]"):
        raise Truncated from None
    raise Unreadable("text that is not JSON") from None


def _refuse_constant(name: str) -> NoReturn:
    raise Unreadable(f"{name}, which is not JSON")


def _read_fraction(text: str) -> float | Unusable:
    number = float(text)
    return number if math.isfinite(number) else _OUT_OF_RANGE


def _read_whole(text: str) -> int | Unusable:
    return int(text) if len(text) <= _LONGEST_WHOLE else _OUT_OF_RANGE


def _read_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) < len(pairs):
        for name, value in pairs:
            if read[name] != value:
                read[name] = _GIVEN_TWICE
    return read


_OUT_OF_RANGE = Unusable("a number out of range")
_GIVEN_TWICE = Unusable("given twice")
_LONGEST_WHOLE = 300
"""Digits; more make no float, and no number that anybody counts in."""
