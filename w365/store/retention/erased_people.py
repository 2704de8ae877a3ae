"""A person's name replaced wherever it stands. Which columns hold names is said where they are defined."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import sqlalchemy as sa

from w365.store import tables as t
from w365.store.people.persons import is_name_known

_STANDS_IN = "Former colleague {}"
_WHOLE = r"(?<![\w@.-]){}(?![\w@-]|\.\w)"
"""A name as a word of its own: *anna*, and not what begins anna@example.com or ends in hanna."""


def find_free_name(connection: sa.Connection) -> str:
    """Find a name that stands for nobody yet: *Former colleague 3*."""
    number = 1
    while is_name_known(connection, _STANDS_IN.format(number)):
        number += 1
    return _STANDS_IN.format(number)


def forget_person(connection: sa.Connection, person_id: int | None, name: str) -> None:
    """Delete what says only that somebody was here: the person, the sessions, the visit."""
    connection.execute(sa.delete(t.Visit).where(t.Visit.actor == name))
    if person_id is not None:
        connection.execute(sa.delete(t.Session).where(t.Session.person_id == person_id))
        connection.execute(sa.delete(t.Person).where(t.Person.id == person_id))


def replace_names(connection: sa.Connection, names: Mapping[str, str]) -> dict[str, int]:
    """Put other names in the place of these, and return in how many rows of which table.

    Within a text a name counts as a whole word only. What providers and the CRM say is left: it comes again.
    """
    rows: Counter[str] = Counter()
    longest_first = dict(sorted(names.items(), key=lambda pair: -len(pair[0])))
    for table, column in t.columns_that_name(t.A_PERSON):
        for old, new in names.items():
            values = {"old_name": old, "new_name": new}
            rows[table.name] += connection.execute(_renaming(table, column), values).rowcount
    for table, column in t.columns_that_name(t.WITHIN_TEXT):
        for changed in _changed_texts(connection, table, column, longest_first):
            connection.execute(_rewriting(table, column), changed)
            rows[table.name] += 1
    return {table: number for table, number in rows.items() if number}


def count_owned(connection: sa.Connection, name: str) -> int:
    """Count the provider accounts that somebody takes care of."""
    owned = sa.select(sa.func.count()).select_from(t.Ownership).where(t.Ownership.owner == name)
    return connection.execute(owned).scalar_one()


def list_active_runs_of(connection: sa.Connection, name: str) -> list[int]:
    """List the runs somebody asked for that wait or are under way."""
    return list(connection.scalars(sa.select(t.Run.id).where(t.Run.actor == name, sa.text(t.ACTIVE_RUNS))))


def list_consents_of(connection: sa.Connection, names: Mapping[str, str]) -> list[str]:
    """List the connections that read with somebody's sign-in: the provider's id, or ``crm``."""
    standing = sa.select(t.StoredConsent.target).where(t.StoredConsent.person.in_(list(names)))
    return list(connection.scalars(standing.where(t.StoredConsent.refused == "")))


@cache
def _renaming(table: sa.Table, column: sa.Column[Any]) -> sa.Update:
    is_old = column == sa.bindparam("old_name")
    return sa.update(table).where(is_old).values({column.name: sa.bindparam("new_name")})


@cache
def _rewriting(table: sa.Table, column: sa.Column[Any]) -> sa.Update:
    is_row = (key == sa.bindparam(f"of_{key.name}") for key in table.primary_key)
    return sa.update(table).where(*is_row).values({column.name: sa.bindparam("new_text")})


def _changed_texts(
    connection: sa.Connection, table: sa.Table, column: sa.Column[Any], names: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """Give what `_rewriting` is executed with, for each row whose text names somebody."""
    keys = [key.label(f"of_{key.name}") for key in table.primary_key]
    text = sa.cast(column, sa.Text)
    # JSON may spell what is not ASCII in escapes.
    spellings = {spelling for name in names for spelling in (name, json.dumps(name)[1:-1])}
    naming = sa.or_(*(text.contains(spelling, autoescape=True) for spelling in sorted(spellings)))
    for row in connection.execute(sa.select(*keys, column.label("new_text")).where(naming)).all():
        values = row._asdict()
        new = _replace(values["new_text"], names)
        if new != values["new_text"]:
            yield values | {"new_text": new}


def _replace(value: Any, names: Mapping[str, str]) -> Any:
    """Replace the names in a text, and in every text of a JSON value, its keys among them."""
    if isinstance(value, str):
        for old, new in names.items():
            value = new.join(re.split(_WHOLE.format(re.escape(old)), value))
        return value
    if isinstance(value, dict):
        return {_replace(key, names): _replace(part, names) for key, part in value.items()}
    return [_replace(part, names) for part in value] if isinstance(value, list) else value
