"""Providers, told apart by their names whatever the case."""

from __future__ import annotations

import sqlalchemy as sa

from w365.errors import InputError
from w365.model import ProviderKind
from w365.store import tables as t


def put_provider(connection: sa.Connection, name: str, kind: ProviderKind) -> int:
    """Add a provider and return its id. Raises InputError for no name, and for one that is there already."""
    text = " ".join(name.split())
    if not text:
        raise InputError("A provider needs a name.", kept="Nothing was added.")
    if text.casefold() in (known.casefold() for known in connection.scalars(sa.select(t.Provider.name))):
        raise InputError(f"A provider “{text}” exists already.", kept="Nothing was added.", do="Choose another name.")
    insert = sa.insert(t.Provider).values(name=text, kind=kind)
    return int(connection.execute(insert.returning(t.Provider.id)).scalar_one())
