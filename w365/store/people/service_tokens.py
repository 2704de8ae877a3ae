"""The rows of `service_token`: by which secrets programs get in, as whom and until when."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from w365.model import Role
from w365.store import tables as t
from w365.store.people.persons import read_role


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token as stored, without its digest. ``ending`` are the last letters of the secret."""

    id: int
    name: str
    role: Role
    ending: str
    made_by: str
    made_at: dt.datetime
    expires_at: dt.datetime
    used_at: dt.datetime | None
    revoked_at: dt.datetime | None


def add_token(connection: sa.Connection, row: TokenRow, digest: str) -> int:
    """Write a token down, whose id is not known yet, and return the id."""
    values = {name: getattr(row, name) for name in _NAMES[1:]} | {"role": row.role.name.lower(), "digest": digest}
    return int(connection.execute(sa.insert(t.ServiceToken).values(values).returning(t.ServiceToken.id)).scalar_one())


def list_tokens(connection: sa.Connection) -> list[TokenRow]:
    """Read all, by name, the latest of a name first."""
    return [_read(row) for row in connection.execute(_ALL)]


def get_token(connection: sa.Connection, token_id: int) -> TokenRow | None:
    return _token(connection.execute(_OF_ID, {"of_id": token_id}).one_or_none())


def find_token(connection: sa.Connection, digest: str) -> TokenRow | None:
    return _token(connection.execute(_OF_DIGEST, {"of_digest": digest}).one_or_none())


def note_token_use(connection: sa.Connection, token_id: int, at: dt.datetime) -> None:
    connection.execute(sa.update(t.ServiceToken).where(t.ServiceToken.id == token_id).values(used_at=at))


def end_token(connection: sa.Connection, token_id: int, at: dt.datetime) -> bool:
    """Revoke a token; False where it was before."""
    living = sa.update(t.ServiceToken).where(t.ServiceToken.id == token_id, t.ServiceToken.revoked_at.is_(None))
    return bool(connection.execute(living.values(revoked_at=at)).rowcount)


def _token(row: sa.Row[Any] | None) -> TokenRow | None:
    return None if row is None else _read(row)


def _read(row: sa.Row[Any]) -> TokenRow:
    return TokenRow(**row._asdict() | {"role": read_role(row.role)})


_NAMES = tuple(TokenRow.__dataclass_fields__)
_TOKENS = sa.select(*(getattr(t.ServiceToken, name) for name in _NAMES))
_ALL = _TOKENS.order_by(t.ServiceToken.name, t.ServiceToken.id.desc())
_OF_ID = _TOKENS.where(t.ServiceToken.id == sa.bindparam("of_id", type_=sa.Integer))
_OF_DIGEST = _TOKENS.where(t.ServiceToken.digest == sa.bindparam("of_digest"))
