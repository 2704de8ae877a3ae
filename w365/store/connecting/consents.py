"""The rows of `consent` and `consent_begun`: whose sign-in serves an application, and sign-ins that were only begun."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from w365.store import tables as t


@dataclass(frozen=True, slots=True)
class ConsentRow:
    """One sign-in, in the order of the table's columns. ``token`` is sealed.

    ``version`` grows with every token; ``has_mfa`` is None where the token does not tell; ``refused`` says why the last
    redemption was refused for good.
    """

    target: str
    application: str
    token: str = field(repr=False)
    version: int
    person: str
    has_mfa: bool | None
    signed_in_at: dt.datetime
    used_at: dt.datetime
    refused: str = ""
    held_by: str = ""
    held_until: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class BegunSignIn:
    """A sign-in that has not come back from the browser. ``state`` is a digest of it; ``flow`` is sealed."""

    state: str
    target: str
    flow: str = field(repr=False)
    actor: str
    at: dt.datetime


def read_consent(connection: sa.Connection, target: str, application: str) -> ConsentRow | None:
    row = connection.execute(_CONSENT, {"of_target": target, "of_application": application}).one_or_none()
    return ConsentRow(*row) if row else None


def read_version(connection: sa.Connection, target: str) -> int | None:
    """The version of a target's sign-in for whatever application; None where nobody signed in."""
    return connection.scalar(sa.select(t.StoredConsent.version).where(t.StoredConsent.target == target))


def replace_consent(connection: sa.Connection, row: ConsentRow) -> None:
    """Store a sign-in in the place of the one that the target has."""
    forget_consent(connection, row.target)
    connection.execute(sa.insert(t.StoredConsent), {name: getattr(row, name) for name in _CONSENT_COLUMNS})


def change_consent(
    connection: sa.Connection, target: str, application: str, version: int, values: Mapping[str, Any]
) -> bool:
    """Change these columns of a sign-in; False where it is not at this version any more."""
    asked = {"of_target": target, "of_application": application, "of_version": version}
    return connection.execute(_CHANGE, {**asked, **values}).rowcount == 1


def forget_consent(connection: sa.Connection, target: str) -> None:
    connection.execute(sa.delete(t.StoredConsent).where(t.StoredConsent.target == target))


def put_begun(connection: sa.Connection, begun: BegunSignIn) -> None:
    connection.execute(sa.insert(t.ConsentBegun), {name: getattr(begun, name) for name in _BEGUN_COLUMNS})


def take_begun(connection: sa.Connection, state: str) -> BegunSignIn | None:
    """Take what was begun under the digest of a state out of the table, so that it is used once."""
    taken = sa.delete(t.ConsentBegun).where(t.ConsentBegun.state == state).returning(*_BEGUN)
    row = connection.execute(taken).one_or_none()
    return BegunSignIn(*row) if row else None


def forget_begun(connection: sa.Connection, *, before: dt.datetime | None = None) -> None:
    """Forget the sign-ins that were begun before a moment, or all of them."""
    old = () if before is None else (t.ConsentBegun.at < before,)
    connection.execute(sa.delete(t.ConsentBegun).where(*old))


_CONSENT_COLUMNS = tuple(ConsentRow.__dataclass_fields__)
_BEGUN_COLUMNS = tuple(BegunSignIn.__dataclass_fields__)
_BEGUN = [getattr(t.ConsentBegun, name) for name in _BEGUN_COLUMNS]
_OF_APPLICATION = (
    t.StoredConsent.target == sa.bindparam("of_target"),
    t.StoredConsent.application == sa.bindparam("of_application"),
)
_CONSENT = sa.select(*(getattr(t.StoredConsent, name) for name in _CONSENT_COLUMNS)).where(*_OF_APPLICATION)
_CHANGE = sa.update(t.StoredConsent).where(*_OF_APPLICATION, t.StoredConsent.version == sa.bindparam("of_version"))
