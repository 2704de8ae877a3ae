"""Which column of a table is what: guessed from the headings, changed by the person."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Places = Mapping[str, int]
"""Field name -> place of its column, from 0. A field without a column is not in it."""


@dataclass(frozen=True, slots=True)
class Field:
    """Something a line can say. `guesses` are headings that mean it, the likeliest first, folded as `_fold` does.

    `is_amount`: a number, of which it is no matter how it is shown; `bounds`: the least and the most that it may be, or
    the least and the most characters of a text that is there; `examples` are what lines of a template say.
    """

    name: str
    label: str
    about: str
    guesses: tuple[str, ...] = ()
    is_needed: bool = False
    is_amount: bool = False
    bounds: tuple[int, int] = (0, 400)
    examples: tuple[str, ...] = ()


def guess_columns(headings: Sequence[str], fields: Sequence[Field]) -> dict[str, int]:
    """Give each field the column whose heading says it best; no column serves two fields."""
    folded = [_fold(heading) for heading in headings]
    wanted = [
        (rank, order, field.name, guess)
        for order, field in enumerate(fields)
        for rank, guess in enumerate((_fold(field.label), *field.guesses))
    ]
    found: dict[str, int] = {}
    for _, _, name, guess in sorted(wanted):
        if name not in found and guess in folded and folded.index(guess) not in found.values():
            found[name] = folded.index(guess)
    return {field.name: found[field.name] for field in fields if field.name in found}


def count_understood(headings: Sequence[str], fields: Sequence[Field]) -> int:
    """Count the fields that have a column by these headings; 0 where a needed one has none."""
    places = guess_columns(headings, fields)
    return len(places) if all(field.name in places for field in fields if field.is_needed) else 0


def name_columns(headings: Sequence[str]) -> list[str]:
    """Name each column for a person: its heading, with its letter where that alone does not tell it from others."""
    return [
        heading if heading and headings.count(heading) == 1 else f"{heading or 'without heading'} (column {letter(at)})"
        for at, heading in enumerate(headings)
    ]


def letter(place: int) -> str:
    """The letters that a spreadsheet gives a column: A, B, … Z, AA."""
    before, this = divmod(place, 26)
    return (letter(before - 1) if before else "") + chr(ord("A") + this)


def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return re.sub(r"[^a-z0-9]+", " ", "".join(c for c in plain if not unicodedata.combining(c))).strip()
