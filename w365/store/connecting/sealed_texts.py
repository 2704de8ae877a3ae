"""What is stored encrypted of connections and sign-ins, to be encrypted anew with another key."""

from __future__ import annotations

from dataclasses import dataclass, field

import sqlalchemy as sa

from w365.store import tables as t

_COLUMNS: dict[str, sa.orm.InstrumentedAttribute[str]] = {
    "connection": t.StoredConnection.secret,
    "consent": t.StoredConsent.token,
}


@dataclass(frozen=True, slots=True)
class SealedText:
    """A secret or a refresh token of one target; ``text`` is sealed."""

    kept_in: str
    target: str
    text: str = field(repr=False)


def read_sealed(connection: sa.Connection) -> list[SealedText]:
    """Read all that is sealed; where nothing is stored there is none."""
    return [
        SealedText(table, target, text)
        for table, column in _COLUMNS.items()
        for target, text in connection.execute(sa.select(column.class_.target, column).where(column != ""))
    ]


def put_sealed(connection: sa.Connection, sealed: SealedText) -> None:
    """Store the text in the place where it was read."""
    column = _COLUMNS[sealed.kept_in]
    change = sa.update(column.class_).where(column.class_.target == sealed.target)
    connection.execute(change.values({column: sealed.text}))
