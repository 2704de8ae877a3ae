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
    """Something a line can say. `guesses` are headings that mean it, the likeliest first, folded as `_fold` does."""

    name: str
    label: str
    about: str
    guesses: tuple[str, ...] = ()
    is_needed: bool = False


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
