"""Providers, told apart by their names whatever the case."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from w365.errors import InputError
from w365.model import ProviderKind
from w365.store import tables as t


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """Return the name, or with the first number behind it that makes it none of those taken."""
    folded = {name.casefold() for name in taken}
    names = (wanted, *(f"{wanted} ({number})" for number in range(2, len(folded) + 3)))
    return next(name for name in names if name.casefold() not in folded)


def put_provider(connection: sa.Connection, name: str, kind: ProviderKind) -> int:
    """Add a provider and return its id. Raises InputError for no name, and for one that is there already."""
    text = " ".join(name.split())
    if not text:
        raise InputError("A provider needs a name.", kept="Nothing was added.")
    if text.casefold() in (known.casefold() for known in connection.scalars(sa.select(t.Provider.name))):
        raise InputError(f"A provider “{text}” exists already.", kept="Nothing was added.", do="Choose another name.")
    insert = sa.insert(t.Provider).values(name=text, kind=kind)
    return int(connection.execute(insert.returning(t.Provider.id)).scalar_one())
