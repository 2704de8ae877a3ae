"""The rows of `session`: who is signed in where, and since when."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from w365.model import Role, SessionEnd
from w365.store import tables as t
from w365.store.people.persons import read_role


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session with what its person may do now. ``ended_by`` is None while it lives."""

    id: int
    person_id: int
    browser: str
    begun_at: dt.datetime
    used_at: dt.datetime
    ended_at: dt.datetime | None
    ended_by: SessionEnd | None
    subject: str
    name: str
    claimed_role: Role | None
    given_role: Role | None
    is_disabled: bool


def get_session(connection: sa.Connection, session_id: int) -> SessionRow | None:
    return _session(connection.execute(_OF_ID, {"of_id": session_id}).one_or_none())


def find_session(connection: sa.Connection, person_id: int, browser: str) -> SessionRow | None:
    """Read the latest session of a person in a browser, which may have ended."""
    return _session(connection.execute(_LATEST, {"of_person": person_id, "of_browser": browser}).one_or_none())


def list_sessions_in(connection: sa.Connection, browser: str) -> list[SessionRow]:
    """Read the sessions of a browser that nobody has ended; they may be too old or idle."""
    return [session for row in connection.execute(_IN_BROWSER, {"of_browser": browser}) if (session := _session(row))]


def list_sessions_of(connection: sa.Connection, person_id: int) -> list[SessionRow]:
    """Read the sessions of a person that nobody has ended, the latest used first; they may be too old or idle."""
    return [session for row in connection.execute(_LIVING_OF, {"of_person": person_id}) if (session := _session(row))]


def is_proof_used(connection: sa.Connection, proof: str) -> bool:
    """Tell whether this answer of the identity provider has begun a session already."""
    return connection.execute(_OF_PROOF, {"of_proof": proof}).first() is not None


def begin_session(connection: sa.Connection, person_id: int, browser: str, proof: str, at: dt.datetime) -> int:
    values = {"person_id": person_id, "browser": browser, "proof": proof, "begun_at": at, "used_at": at, "ended_by": ""}
    return int(connection.execute(sa.insert(t.Session).values(values).returning(t.Session.id)).scalar_one())


def note_use(connection: sa.Connection, session_id: int, at: dt.datetime) -> None:
    connection.execute(sa.update(t.Session).where(t.Session.id == session_id).values(used_at=at))


def end_session(connection: sa.Connection, session_id: int, why: SessionEnd, at: dt.datetime) -> bool:
    """End a session; False when it had ended before."""
    living = sa.update(t.Session).where(t.Session.id == session_id, t.Session.ended_at.is_(None))
    return bool(connection.execute(living.values(ended_at=at, ended_by=why.value)).rowcount)


def end_sessions_of(connection: sa.Connection, person_id: int, why: SessionEnd, at: dt.datetime) -> int:
    """End what a person has open anywhere, and say how many sessions that were."""
    living = sa.update(t.Session).where(t.Session.person_id == person_id, t.Session.ended_at.is_(None))
    return connection.execute(living.values(ended_at=at, ended_by=why.value)).rowcount


def count_open_sessions(connection: sa.Connection, since: dt.datetime) -> dict[int, int]:
    """Count for each person the sessions that were used since then."""
    return {row[0]: row[1] for row in connection.execute(_OPEN, {"since": since})}


def _session(row: sa.Row[Any] | None) -> SessionRow | None:
    if row is None:
        return None
    values = row._asdict()
    return SessionRow(
        **values
        | {"ended_by": SessionEnd(values["ended_by"]) if values["ended_by"] else None}
        | {name: read_role(values[name]) for name in ("claimed_role", "given_role")}
    )


_OF_SESSION = ("id", "person_id", "browser", "begun_at", "used_at", "ended_at", "ended_by")
_OF_PERSON = ("subject", "name", "claimed_role", "given_role", "is_disabled")
_COLUMNS = [getattr(t.Session, name) for name in _OF_SESSION] + [getattr(t.Person, name) for name in _OF_PERSON]
_SESSIONS = sa.select(*_COLUMNS).join(t.Person, t.Person.id == t.Session.person_id)
_OF_ID = _SESSIONS.where(t.Session.id == sa.bindparam("of_id", type_=sa.Integer))
_LATEST = (
    _SESSIONS.where(
        t.Session.person_id == sa.bindparam("of_person", type_=sa.Integer),
        t.Session.browser == sa.bindparam("of_browser"),
    )
    .order_by(t.Session.id.desc())
    .limit(1)
)
_IN_BROWSER = _SESSIONS.where(t.Session.browser == sa.bindparam("of_browser"), t.Session.ended_at.is_(None))
_LIVING_OF = _SESSIONS.where(
    t.Session.person_id == sa.bindparam("of_person", type_=sa.Integer), t.Session.ended_at.is_(None)
).order_by(t.Session.used_at.desc(), t.Session.id)
_OF_PROOF = sa.select(t.Session.id).where(t.Session.proof == sa.bindparam("of_proof"), t.Session.proof != "")
_OPEN = (
    sa.select(t.Session.person_id, sa.func.count())
    .where(t.Session.ended_at.is_(None), t.Session.used_at >= sa.bindparam("since", type_=t.Session.used_at.type))
    .group_by(t.Session.person_id)
)
