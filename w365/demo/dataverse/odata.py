"""The part of OData the Dataverse server understands: refusals, preferences and ``$filter``."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from w365.demo.journal import Row

Predicate = Callable[[Row], bool]

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<guid>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})"
    r"|(?P<time>\d{4}-\d\d-\d\d(?:T[0-9:.]+Z)?)|(?P<number>-?\d+)|(?P<word>[A-Za-z_]\w*)|(?P<mark>[(),]))"
)
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "startswith": str.startswith,
    "endswith": str.endswith,
    "contains": operator.contains,
}


class Refusal(Exception):
    """What the server answers instead of data."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def unknown_property(name: str, logical_name: str) -> Refusal:
    message = f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{logical_name}'."
    return Refusal(400, "0x80060888", message)


def syntax_error(message: str) -> Refusal:
    return Refusal(400, "0x80060888", message)


@dataclass(frozen=True, slots=True)
class Preferences:
    """The ``Prefer`` header. ``applied`` is what the answer says was obeyed."""

    page_size: int | None = None
    tracks_changes: bool = False
    annotations: str = ""
    returns_representation: bool = False
    applied: str = ""

    def includes(self, annotation: str) -> bool:
        asked = self.annotations.split(",")
        return any(part in ("*", annotation) or _covers(part, annotation) for part in asked)


def _covers(pattern: str, annotation: str) -> bool:
    return pattern.endswith(".*") and annotation.startswith(pattern[:-1])


def read_preferences(header: str) -> Preferences:
    found: dict[str, str] = {}
    for part in re.findall(r'(?:[^,"]|"[^"]*")+', header):
        name, _, value = part.strip().partition("=")
        found[name.lower()] = value.strip('"')
    size = found.get("odata.maxpagesize", "")
    return Preferences(
        page_size=int(size) if size.isdecimal() and int(size) else None,
        tracks_changes="odata.track-changes" in found,
        annotations=found.get("odata.include-annotations", ""),
        returns_representation=found.get("return") == "representation",
        applied=header,
    )


def parse_filter(text: str, columns: Iterable[str], logical_name: str) -> Predicate:
    """Turn a ``$filter`` into a predicate. Raises Refusal for whatever is not understood."""
    return _Parser(_tokens(text), frozenset(columns), logical_name).parse()


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise syntax_error(f"Syntax error at position {position} in '{text}'.")
        tokens.append((match.lastgroup, match[match.lastgroup]))
        position = match.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]], columns: frozenset[str], logical_name: str) -> None:
        self._tokens = [*tokens, ("end", "")]
        self._columns = columns
        self._logical_name = logical_name

    def parse(self) -> Predicate:
        predicate = self._any()
        if self._tokens[0][0] != "end":
            raise self._error()
        return predicate

    def _any(self) -> Predicate:
        parts = [self._all()]
        while self._accept("or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else lambda row: any(part(row) for part in parts)

    def _all(self) -> Predicate:
        parts = [self._term()]
        while self._accept("and"):
            parts.append(self._term())
        return parts[0] if len(parts) == 1 else lambda row: all(part(row) for part in parts)

    def _term(self) -> Predicate:
        if self._accept("not"):
            inner = self._term()
            return lambda row: not inner(row)
        if self._accept("("):
            predicate = self._any()
            self._expect(")")
            return predicate
        kind, word = self._tokens.pop(0)
        if kind != "word":
            raise self._error()
        return self._call(word) if self._accept("(") else self._comparison(self._column(word))

    def _call(self, name: str) -> Predicate:
        test = _FUNCTIONS.get(name)
        if test is None:
            raise syntax_error(f"An unknown function with name '{name}' was found.")
        column = self._column(self._tokens.pop(0)[1])
        self._expect(",")
        wanted = str(self._literal()).casefold()
        self._expect(")")
        return lambda row: row[column] is not None and test(str(row[column]).casefold(), wanted)

    def _comparison(self, column: str) -> Predicate:
        name = self._tokens.pop(0)[1]
        compare = _COMPARISONS.get(name)
        if compare is None:
            raise self._error()
        wanted = self._literal()
        if wanted is None:
            return lambda row: (row[column] is None) is (name == "eq")
        folded = _folded(wanted)

        def test(row: Row) -> bool:
            # SQL's way: an empty cell is never equal, never different.
            value = _folded(row[column])
            return value is not None and isinstance(value, type(folded)) and compare(value, folded)

        return test

    def _literal(self) -> str | int | None:
        kind, value = self._tokens.pop(0)
        if kind == "text":
            return value[1:-1].replace("''", "'")
        if kind == "number":
            return int(value)
        if kind in ("guid", "time"):
            return value
        if value == "null":
            return None
        raise self._error()

    def _column(self, name: str) -> str:
        if name not in self._columns:
            raise unknown_property(name, self._logical_name)
        return name

    def _accept(self, value: str) -> bool:
        if self._tokens[0][0] in ("word", "mark") and self._tokens[0][1] == value:
            self._tokens.pop(0)
            return True
        return False

    def _expect(self, value: str) -> None:
        if not self._accept(value):
            raise self._error()

    def _error(self) -> Refusal:
        return syntax_error("The $filter expression is not supported or not complete.")


def _folded(value: str | int | None) -> str | int | None:
    return value.casefold() if isinstance(value, str) else value
