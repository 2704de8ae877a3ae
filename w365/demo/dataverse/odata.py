"""The part of OData the Dataverse server understands: refusals, preferences, ``$filter`` and ``$orderby``."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from w365.demo.journal import Row

Predicate = Callable[[Row], bool]

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<guid>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})"
    r"|(?P<time>\d{4}-\d\d-\d\d(?:T[0-9:.]+Z)?)|(?P<number>-?\d+)|(?P<word>[A-Za-z_][\w.]*)|(?P<mark>[(),=\[\]]))"
)
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_WORDS: dict[str, bool | None] = {"null": None, "true": True, "false": False}
_FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "startswith": str.startswith,
    "endswith": str.endswith,
    "contains": operator.contains,
}


class ODataRefusal(Exception):
    """What the server answers instead of data."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def unknown_property(name: str, logical_name: str) -> ODataRefusal:
    message = f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{logical_name}'."
    return ODataRefusal(400, "0x80060888", message)


def syntax_error(message: str) -> ODataRefusal:
    return ODataRefusal(400, "0x80060888", message)


def refuse_others(parameters: Iterable[str], known: Collection[str]) -> None:
    """Refuse what the server would otherwise pass over in silence: its answer would not be what was asked for."""
    for name in parameters:
        if name not in known:
            raise ODataRefusal(400, "0x80060888", f"The query parameter {name} is not supported.")


@dataclass(frozen=True, slots=True)
class Preferences:
    """The ``Prefer`` header. ``applied`` is what the answer says was obeyed."""

    page_size: int | None = None
    tracks_changes: bool = False
    annotations: str = ""
    returns_representation: bool = False
    applied: str = ""

    def includes(self, annotation: str) -> bool:
        patterns = self.annotations.split(",")
        return any(pattern in ("*", annotation) or _covers_annotation(pattern, annotation) for pattern in patterns)


def _covers_annotation(pattern: str, annotation: str) -> bool:
    return pattern.endswith(".*") and annotation.startswith(pattern[:-1])


def read_preferences(header: str) -> Preferences:
    values: dict[str, str] = {}
    for part in re.findall(r'(?:[^,"]|"[^"]*")+', header):
        name, _, value = part.strip().partition("=")
        values[name.lower()] = value.strip('"')
    size = values.get("odata.maxpagesize", "")
    return Preferences(
        page_size=int(size) if size.isdecimal() and int(size) else None,
        tracks_changes="odata.track-changes" in values,
        annotations=values.get("odata.include-annotations", ""),
        returns_representation=values.get("return") == "representation",
        applied=header,
    )


def parse_filter(text: str, columns: Iterable[str], logical_name: str) -> Predicate:
    """Turn a ``$filter`` into a predicate. Raises ODataRefusal for whatever is not understood."""
    return _Parser(_split_tokens(text), frozenset(columns), logical_name).parse()


def parse_orderby(text: str, columns: Collection[str], logical_name: str) -> Callable[[Iterable[Row]], list[Row]]:
    """Turn an ``$orderby`` into the sorting it asks for. Raises ODataRefusal."""
    terms = [_read_order(term, columns, logical_name) for term in text.split(",")]

    def sort(rows: Iterable[Row]) -> list[Row]:
        ordered = list(rows)
        for name, is_descending in reversed(terms):
            ordered.sort(key=lambda row: (row[name] is not None, _fold_case(row[name]) or 0), reverse=is_descending)
        return ordered

    return sort


def _read_order(term: str, columns: Collection[str], logical_name: str) -> tuple[str, bool]:
    name, _, direction = term.strip().partition(" ")
    if name not in columns:
        raise unknown_property(name, logical_name)
    if direction.strip() not in ("", "asc", "desc"):
        raise syntax_error(f"Syntax error in the $orderby expression '{term}'.")
    return name, direction.strip() == "desc"


def _split_tokens(text: str) -> list[tuple[str, str]]:
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
        predicate = self._parse_any()
        if self._tokens[0][0] != "end":
            raise self._make_error()
        return predicate

    def _parse_any(self) -> Predicate:
        parts = [self._parse_all()]
        while self._accept_token("or"):
            parts.append(self._parse_all())
        return parts[0] if len(parts) == 1 else lambda row: any(part(row) for part in parts)

    def _parse_all(self) -> Predicate:
        parts = [self._parse_term()]
        while self._accept_token("and"):
            parts.append(self._parse_term())
        return parts[0] if len(parts) == 1 else lambda row: all(part(row) for part in parts)

    def _parse_term(self) -> Predicate:
        if self._accept_token("not"):
            inner = self._parse_term()
            return lambda row: not inner(row)
        if self._accept_token("("):
            predicate = self._parse_any()
            self._expect_token(")")
            return predicate
        kind, word = self._tokens.pop(0)
        if kind != "word":
            raise self._make_error()
        return self._parse_call(word) if self._accept_token("(") else self._parse_comparison(self._parse_column(word))

    def _parse_call(self, name: str) -> Predicate:
        if name == "Microsoft.Dynamics.CRM.In":
            return self._parse_in()
        test = _FUNCTIONS.get(name)
        if test is None:
            raise syntax_error(f"An unknown function with name '{name}' was found.")
        column = self._parse_column(self._tokens.pop(0)[1])
        self._expect_token(",")
        text = str(self._parse_literal()).casefold()
        self._expect_token(")")
        return lambda row: row[column] is not None and test(str(row[column]).casefold(), text)

    def _parse_in(self) -> Predicate:
        """Read ``PropertyName='x',PropertyValues=['a','b'])``."""
        for token in ("PropertyName", "="):
            self._expect_token(token)
        column = self._parse_column(str(self._parse_literal()))
        for token in (",", "PropertyValues", "=", "["):
            self._expect_token(token)
        values = {str(self._parse_literal()).casefold()}
        while self._accept_token(","):
            values.add(str(self._parse_literal()).casefold())
        for token in ("]", ")"):
            self._expect_token(token)
        return lambda row: row[column] is not None and str(row[column]).casefold() in values

    def _parse_comparison(self, column: str) -> Predicate:
        name = self._tokens.pop(0)[1]
        compare = _COMPARISONS.get(name)
        if compare is None:
            raise self._make_error()
        literal = self._parse_literal()
        if literal is None:
            return lambda row: (row[column] is None) is (name == "eq")
        folded = _fold_case(literal)

        def test(row: Row) -> bool:
            # SQL's way: an empty cell is never equal, never different.
            value = _fold_case(row[column])
            return value is not None and isinstance(value, type(folded)) and compare(value, folded)

        return test

    def _parse_literal(self) -> str | int | None:
        kind, value = self._tokens.pop(0)
        if kind == "text":
            return value[1:-1].replace("''", "'")
        if kind == "number":
            return int(value)
        if kind in ("guid", "time"):
            return value
        if value in _WORDS:
            return _WORDS[value]
        raise self._make_error()

    def _parse_column(self, name: str) -> str:
        if name not in self._columns:
            raise unknown_property(name, self._logical_name)
        return name

    def _accept_token(self, value: str) -> bool:
        if self._tokens[0][0] in ("word", "mark") and self._tokens[0][1] == value:
            self._tokens.pop(0)
            return True
        return False

    def _expect_token(self, value: str) -> None:
        if not self._accept_token(value):
            raise self._make_error()

    def _make_error(self) -> ODataRefusal:
        return syntax_error("The $filter expression is not supported or not complete.")


def _fold_case(value: str | int | None) -> str | int | None:
    return value.casefold() if isinstance(value, str) else value
