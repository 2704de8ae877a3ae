"""The shape of what programs send and get, read off frozen dataclasses: as JSON Schema, and to check what comes.

One declaration serves the description and the reading, so that they cannot differ. A field says more about itself with
`Annotated`: a text is its description, `Bounds` are its bounds.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import functools
import re
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

Schema = dict[str, Any]
T = TypeVar("T")

LARGEST = 2**53 - 1
"""Whole numbers up to here are exact in every language."""
MOST_VALUES = 50
"""Of one part of a query."""
_KINDS: Mapping[type, Schema] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    dt.datetime: {"type": "string", "format": "date-time"},
    dt.date: {"type": "string", "format": "date"},
}
_SURROGATE = re.compile("[\ud800-\udfff]")
"""Half a character, which JSON can write and no database keeps."""
_WORDS = {"false": False, "true": True}


@dataclasses.dataclass(frozen=True, slots=True)
class Bounds:
    """Of a number its least and greatest, of a text its lengths and the pattern that all of it fits."""

    least: int = 0
    most: int = LARGEST
    pattern: str = ""

    def schema(self, kind: type) -> Schema:
        if kind is int:
            return {"minimum": self.least, "maximum": self.most}
        pattern = {"pattern": f"^(?:{self.pattern})$"} if self.pattern else {}
        return {"minLength": self.least, "maxLength": self.most, **pattern}

    def refuse(self, value: int | str) -> str:
        """Say why a value is out of bounds, or nothing."""
        measure = len(value) if isinstance(value, str) else value
        if not self.least <= measure <= self.most:
            return f"has to {'have' if isinstance(value, str) else 'be'} {self.least:,} to {self.most:,}" + (
                " characters" if isinstance(value, str) else ""
            )
        fits = not self.pattern or not isinstance(value, str) or re.fullmatch(self.pattern, value)
        return "" if fits else "has not the form that is expected"


class Misshapen(Exception):
    """What came has another shape; the text says which part, and how."""


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """A field of a dataclass with what its annotation says."""

    name: str
    kind: Any
    about: str
    bounds: Bounds | None
    default: Any

    @property
    def is_needed(self) -> bool:
        return self.default is dataclasses.MISSING


@functools.cache
def fields_of(shape: type) -> tuple[Field, ...]:
    hints = typing.get_type_hints(shape, include_extras=True)
    return tuple(_field(each, hints[each.name]) for each in dataclasses.fields(shape))


def _field(field: dataclasses.Field[Any], hint: Any) -> Field:
    notes = typing.get_args(hint)[1:] if typing.get_origin(hint) is typing.Annotated else ()
    about = next((note for note in notes if isinstance(note, str)), "")
    bounds = next((note for note in notes if isinstance(note, Bounds)), None)
    return Field(field.name, typing.get_args(hint)[0] if notes else hint, about, bounds, field.default)


def schema_of(shape: type) -> Schema:
    """The schema of a dataclass; others in it are named, to stand beside it."""
    fields = fields_of(shape)
    return {
        "type": "object",
        "description": (shape.__doc__ or "").strip(),
        "properties": {field.name: field_schema(field) for field in fields},
        "required": [field.name for field in fields if field.is_needed],
        "additionalProperties": False,
    }


def field_schema(field: Field) -> Schema:
    schema = _kind_schema(field.kind, field.bounds)
    if field.about:
        schema["description"] = field.about
    if field.default not in (dataclasses.MISSING, None, ()):
        schema["default"] = field.default
    return schema


def _kind_schema(kind: Any, bounds: Bounds | None) -> Schema:
    plain, is_open = _without_none(kind)
    if is_open:
        return {"anyOf": [_kind_schema(plain, bounds), {"type": "null"}]}
    if typing.get_origin(plain) is tuple:
        return {"type": "array", "items": _kind_schema(typing.get_args(plain)[0], bounds)}
    if typing.get_origin(plain) is dict:
        return {"type": "object", "additionalProperties": _kind_schema(typing.get_args(plain)[1], None)}
    if isinstance(plain, type) and dataclasses.is_dataclass(plain):
        return {"$ref": f"#/components/schemas/{plain.__name__}"}
    if issubclass(plain, enum.Enum):
        return {"type": "string", "enum": [str(member.value) for member in plain]}
    return dict(_KINDS[plain]) | (bounds.schema(plain) if bounds else {})


def _without_none(kind: Any) -> tuple[Any, bool]:
    """A kind, and whether None may stand in its place."""
    if typing.get_origin(kind) not in (types.UnionType, typing.Union):
        return kind, False
    return next(each for each in typing.get_args(kind) if each is not type(None)), True


def shapes_in(shape: type) -> Iterator[type]:
    """The dataclass itself and all that stand in it."""
    yield shape
    for field in fields_of(shape):
        plain = _without_none(field.kind)[0]
        inner = typing.get_args(plain)[0] if typing.get_origin(plain) is tuple else plain
        if dataclasses.is_dataclass(inner) and isinstance(inner, type):
            yield from shapes_in(inner)


def read_texts(fields: Sequence[Field], texts: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Read the values of a query by name; raises Misshapen for what is unknown, missing, doubled or of another kind."""
    _refuse_unknown(fields, texts)
    return {field.name: _read_field(field, texts[field.name]) for field in fields if _is_given(field, texts)}


def read_members(fields: Sequence[Field], value: object) -> dict[str, Any]:
    """Read the members of a JSON object likewise."""
    if not isinstance(value, dict):
        raise Misshapen("The body is not a JSON object.")
    _refuse_unknown(fields, value)
    return {field.name: _read_value(field, value[field.name]) for field in fields if _is_given(field, value)}


def _refuse_unknown(fields: Sequence[Field], given: Mapping[str, object]) -> None:
    if unknown := given.keys() - {field.name for field in fields}:
        names = ", ".join(field.name for field in fields) or "none"
        raise Misshapen(f"There is no “{min(unknown)[:40]}” here, but: {names}.")


def _is_given(field: Field, given: Mapping[str, object]) -> bool:
    if field.name not in given and field.is_needed:
        raise Misshapen(f"{field.name} is missing.")
    return field.name in given


def _read_field(field: Field, texts: Sequence[str]) -> object:
    plain = _without_none(field.kind)[0]
    if typing.get_origin(plain) is tuple:
        if len(texts) > MOST_VALUES:
            raise Misshapen(f"{field.name} may have {MOST_VALUES} values.")
        return tuple(_read_text(field, typing.get_args(plain)[0], text) for text in texts)
    if len(texts) > 1:
        raise Misshapen(f"{field.name} is given twice.")
    return _read_text(field, plain, texts[0])


def _read_text(field: Field, kind: type, text: str) -> object:
    if kind is bool:
        return _checked(field, kind, _WORDS.get(text))
    if kind is int:
        is_number = re.fullmatch(r"[0-9]{1,16}", text, re.ASCII)
        return _checked(field, kind, int(text) if is_number else None)
    return _checked(field, kind, text)


def _read_value(field: Field, value: object) -> object:
    plain, is_open = _without_none(field.kind)
    return None if value is None and is_open else _checked(field, plain, value)


def _checked(field: Field, kind: type, value: object) -> object:
    if issubclass(kind, enum.Enum):
        try:
            return kind(value)
        except ValueError:
            words = ", ".join(str(member.value) for member in kind)
            raise Misshapen(f"{field.name} is one of {words}.") from None
    if type(value) is not kind or (isinstance(value, str) and _SURROGATE.search(value)):
        raise Misshapen(f"{field.name} is no {_KINDS[kind]['type']}.")
    if field.bounds and isinstance(value, (int, str)) and (why := field.bounds.refuse(value)):
        raise Misshapen(f"{field.name} {why}.")
    return value
