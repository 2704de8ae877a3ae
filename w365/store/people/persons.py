"""The rows of `person`: who signed in, and what each may do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from w365.model import Role
from w365.store import tables as t


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person as stored. ``claimed_role`` is None where the sign-in named none, ``given_role`` where no admin did."""

    id: int
    subject: str
    name: str
    login: str
    claimed_role: Role | None
    given_role: Role | None
    is_disabled: bool
    first_seen_at: dt.datetime
    last_seen_at: dt.datetime


def find_person(connection: sa.Connection, subject: str) -> PersonRow | None:
    """Read who signs in as this subject."""
    return _person(connection.execute(_OF_SUBJECT, {"of_subject": subject}).one_or_none())


def get_person(connection: sa.Connection, person_id: int) -> PersonRow | None:
    return _person(connection.execute(_OF_ID, {"of_id": person_id}).one_or_none())


def list_persons(connection: sa.Connection) -> list[PersonRow]:
    """Read all, by name."""
    return [_read_person(row) for row in connection.execute(_ALL)]


def add_person(connection: sa.Connection, subject: str, name: str, login: str, at: dt.datetime) -> int:
    """Write somebody down who may do nothing yet, and return the id. The name must be free."""
    values: dict[str, Any] = {"subject": subject, "name": name, "login": login, "first_seen_at": at, "last_seen_at": at}
    values |= {"claimed_role": "", "given_role": "", "is_disabled": False}
    return int(connection.execute(sa.insert(t.Person).values(values).returning(t.Person.id)).scalar_one())


def note_sign_in(connection: sa.Connection, person_id: int, login: str, role: Role | None, at: dt.datetime) -> None:
    """Keep what the latest sign-in said of a person."""
    _update(connection, person_id, {"login": login, "claimed_role": _word_of(role), "last_seen_at": at})


def note_presence(connection: sa.Connection, person_id: int, at: dt.datetime) -> None:
    _update(connection, person_id, {"last_seen_at": at})


def give_role(connection: sa.Connection, person_id: int, role: Role | None) -> None:
    """Let a person have this role whatever the claims say; None: what they say."""
    _update(connection, person_id, {"given_role": _word_of(role)})


def disable(connection: sa.Connection, person_id: int, *, is_disabled: bool) -> None:
    _update(connection, person_id, {"is_disabled": is_disabled})


def is_name_known(connection: sa.Connection, name: str) -> bool:
    """Tell whether this name stands for somebody anywhere."""
    return bool(connection.execute(_KNOWN, {"of_name": name}).scalar())


def _update(connection: sa.Connection, person_id: int, values: Mapping[str, Any]) -> None:
    connection.execute(sa.update(t.Person).where(t.Person.id == person_id).values(values))


def _person(row: sa.Row[Any] | None) -> PersonRow | None:
    return row and _read_person(row)


def _read_person(row: sa.Row[Any]) -> PersonRow:
    values = row._asdict()
    return PersonRow(**values | {name: read_role(values[name]) for name in ("claimed_role", "given_role")})


def read_role(word: str) -> Role | None:
    """Read a role as it is stored; None where none is."""
    return Role[word.upper()] if word else None


def _word_of(role: Role | None) -> str:
    return "" if role is None else role.name.lower()


_COLUMNS = [getattr(t.Person, name) for name in PersonRow.__dataclass_fields__]
_ALL = sa.select(*_COLUMNS).order_by(t.Person.name)
_OF_SUBJECT = sa.select(*_COLUMNS).where(t.Person.subject == sa.bindparam("of_subject"))
_OF_ID = sa.select(*_COLUMNS).where(t.Person.id == sa.bindparam("of_id", type_=sa.Integer))
_KNOWN = sa.select(
    sa.or_(*(sa.exists().where(column == sa.bindparam("of_name")) for _, column in t.columns_that_name(t.A_PERSON)))
)
