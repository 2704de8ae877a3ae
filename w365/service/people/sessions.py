"""Signing in and out: which person a tab of a browser is, as long as the session lasts."""

from __future__ import annotations

import datetime as dt
import itertools
import logging
from contextlib import suppress
from dataclasses import dataclass

from w365.entrance import SignInMode
from w365.errors import AccessError, NotAllowed, NotFound, OtherVersion, W365Error
from w365.model import Actor, AuditKind, Role, SessionEnd
from w365.service import Service
from w365.service.access import RAN_OUT, end_of_session, needs, role_of, signed_out
from w365.service.people.identity import Identity, claimed_role
from w365.store.db.engine import Connection
from w365.store.people.audit_log import note_event, note_event_once
from w365.store.people.persons import (
    PersonRow,
    add_person,
    find_person,
    get_person,
    is_name_known,
    note_presence,
    note_sign_in,
)
from w365.store.people.sessions import (
    SessionRow,
    begin_session,
    end_session,
    find_session,
    get_session,
    is_proof_used,
    list_sessions_in,
    list_sessions_of,
    note_use,
)
from w365.store.runs import BY_ITSELF, SCHEDULE

_log = logging.getLogger(__name__)

_STEP = dt.timedelta(minutes=2)
"""How exactly the last use of a session is known; less often than that nothing is written."""

_NOBODY = "nobody"
_OURS = (SCHEDULE, BY_ITSELF, "calendar", _NOBODY)


def enter(service: Service, identity: Identity, browser: str) -> Actor:
    """Return the actor of a person in a browser: of the session that lives there, or of one that this sign-in begins.

    `browser` is a digest of the browser's cookie. Raises SignedOut where the sign-in is used up or too old, and
    NotAllowed where the person may do nothing; that such a person came is kept.
    """
    now = service.clock()
    with service.store.read() as connection:
        person = find_person(connection, identity.subject)
        session = find_session(connection, person.id, browser) if person else None
        actor = _go_on(service, session, now) if session else None
        end = None if actor else _why_used_up(service, connection, identity, session, now)
    if session and actor:
        _note_use(service, session, now)
        return actor
    if end:  # a page that waits for a sign-in asks every few seconds, and holds up nobody who writes
        raise signed_out(end, role_of(session, service.settings.people) if session else None)
    with service.store.write() as connection:
        outcome = _begin(service, connection, identity, browser, now)
    if isinstance(outcome, W365Error):
        raise outcome
    return outcome


def role_in_browser(service: Service, browser: str) -> Role | None:
    """The highest role of those who are signed in in a browser, given by its digest; None where nobody is."""
    if service.settings.sign_in is SignInMode.LOCAL:
        return Role.ADMIN
    with service.store.read() as connection:
        sessions = list_sessions_in(connection, browser) if browser else []
    actors = [_go_on(service, session, service.clock()) for session in sessions]
    return max((actor.role for actor in actors if actor), default=None)


def _go_on(service: Service, session: SessionRow, now: dt.datetime) -> Actor | None:
    role = role_of(session, service.settings.people)
    if role is None or end_of_session(session, service.settings.people, now):
        return None
    return Actor(session.name, role, session.id)


def _note_use(service: Service, session: SessionRow, now: dt.datetime) -> None:
    if now - session.used_at >= _STEP:
        # Where another version has changed the database, whoever is signed in goes on looking.
        with suppress(OtherVersion), service.store.write() as connection:
            note_use(connection, session.id, now)
            note_presence(connection, session.person_id, now)


def _begin(
    service: Service, connection: Connection, identity: Identity, browser: str, now: dt.datetime
) -> Actor | W365Error:
    """Begin a session, or say why not; what is written about somebody who is refused is kept."""
    settings = service.settings.people
    person = find_person(connection, identity.subject)
    last = find_session(connection, person.id, browser) if person else None
    if last and (actor := _go_on(service, last, now)):
        return actor  # of a tab that was faster
    if end := _why_used_up(service, connection, identity, last, now):
        return signed_out(end, role_of(last, settings) if last else None)
    person = person or _add(connection, identity, now)
    is_new_here = person.first_seen_at == now or now - person.last_seen_at >= _STEP
    note_sign_in(connection, person.id, identity.login, claimed_role(identity, settings), now)
    role = role_of(_read(connection, person.id), settings)
    if role is None:
        if is_new_here:
            note_event(connection, person.name, now, AuditKind.REFUSAL, f"signed in without a role ({person.subject})")
        return _without_role(person, identity)
    _end_left_ones(service, connection, browser, person.id, now)
    session = begin_session(connection, person.id, browser, identity.proof, now)
    note_event(connection, person.name, now, AuditKind.SIGN_IN, f"as {role.name.lower()} ({person.subject})")
    return Actor(person.name, role, session)


def _end_left_ones(service: Service, connection: Connection, browser: str, person_id: int, now: dt.datetime) -> None:
    """Sign out whoever left this browser: a page that stayed when time ran out is not for the next person."""
    for session in list_sessions_in(connection, browser):
        if session.person_id != person_id and end_of_session(session, service.settings.people, now):
            end_session(connection, session.id, SessionEnd.SIGNED_OUT, now)


def _why_used_up(
    service: Service, connection: Connection, identity: Identity, last: SessionRow | None, now: dt.datetime
) -> SessionEnd | None:
    """Say why this sign-in begins no session any more.

    A provider's answer begins one, once. A proxy answers for the person whenever a page is loaded, so that a page that
    was open when the session ended does not begin another by itself.
    """
    end = last and end_of_session(last, service.settings.people, now)
    if identity.at + service.settings.people.longest <= now:
        return end[0] if end and end[0] not in RAN_OUT else SessionEnd.TOO_OLD
    if identity.proof:
        used = is_proof_used(connection, identity.proof)
        return (end[0] if end else SessionEnd.SIGNED_OUT) if used else None
    return end[0] if end and end[1] >= identity.at else None


def _add(connection: Connection, identity: Identity, now: dt.datetime) -> PersonRow:
    name = _free_name(connection, identity)
    return _read(connection, add_person(connection, identity.subject, name, identity.login, now))


def _free_name(connection: Connection, identity: Identity) -> str:
    """The person's name, with more in brackets where somebody else has it, or had it before people signed in."""
    plain = identity.name.replace(":", " ")  # with one, it could be the command line's
    further = (f"{plain} ({more})" for more in itertools.chain([identity.login], itertools.count(2)))
    return next(name for name in itertools.chain([plain], further) if not _is_taken(connection, name))


def _is_taken(connection: Connection, name: str) -> bool:
    return name.casefold() in _OURS or is_name_known(connection, name)


def _read(connection: Connection, person_id: int) -> PersonRow:
    person = get_person(connection, person_id)
    if person is None:
        raise AccessError("This person is not known any more.", do="Sign in again.")
    return person


def _without_role(person: PersonRow, identity: Identity) -> NotAllowed:
    if person.is_disabled:
        return NotAllowed(f"The access of {person.name} was taken away.", do="Ask an admin.")
    told = f"{person.name} is signed in, but has no role here."
    if identity.lacks_groups:
        told += (
            " The sign-in named no groups: there are too many for it. Roles of the application do not have that limit."
        )
    return NotAllowed(
        told,
        kept="Nothing was shown.",
        do=f"Ask an admin for a role on the People page; you are known as {person.subject}.",
    )


def note_failed_sign_in(service: Service, why: str) -> None:
    """Keep that a sign-in failed. Whoever has no session can cause it, so not twice in a row within two minutes."""
    now, about = service.clock(), f"A sign-in failed: {why}"
    with service.store.write() as connection:
        note_event_once(connection, _NOBODY, now, AuditKind.REFUSAL, about, within=_STEP)


@needs(Role.VIEWER)
def stay(service: Service, actor: Actor) -> Actor:
    """Note that a session is used, and return its person with the role of this moment.

    Raises SignedOut where it ended. Where people sign in, who has no session is refused.
    """
    if actor.session is None:
        if service.settings.sign_in is not SignInMode.LOCAL:
            raise signed_out(SessionEnd.SIGNED_OUT)
        return actor
    now = service.clock()
    with service.store.read() as connection:
        session = get_session(connection, actor.session)
    if session:
        _note_use(service, session, now)
    return actor


@dataclass(frozen=True, slots=True)
class OwnSession:
    """One of the sessions of who asks; ``is_here``: the one they ask in."""

    id: int
    begun_at: dt.datetime
    used_at: dt.datetime
    is_here: bool


@needs(Role.VIEWER)
def list_own_sessions(service: Service, actor: Actor) -> list[OwnSession]:
    """List where this person is signed in, the browser they ask in first; none where nobody signs in."""
    with service.store.read() as connection:
        living = [each for each in _own_sessions(connection, actor) if _go_on(service, each, service.clock())]
    own = [OwnSession(each.id, each.begun_at, each.used_at, each.id == actor.session) for each in living]
    return sorted(own, key=lambda session: not session.is_here)


@needs(Role.VIEWER)
def end_own_session(service: Service, actor: Actor, session_id: int) -> None:
    """Sign this person out in another of their browsers; NotFound for a session that is not theirs, or ended."""
    with service.store.write() as connection:
        own = {each.id for each in _own_sessions(connection, actor)}
        if session_id not in own or not end_session(connection, session_id, SessionEnd.SIGNED_OUT, service.clock()):
            raise NotFound("This session has ended already.", kept="Nothing was changed.", do="Look again.")
        note_event(connection, actor.name, service.clock(), AuditKind.SIGN_OUT, "in another browser")


def _own_sessions(connection: Connection, actor: Actor) -> list[SessionRow]:
    here = get_session(connection, actor.session) if actor.session else None
    return list_sessions_of(connection, here.person_id) if here else []


@needs(Role.VIEWER)
def sign_out(service: Service, actor: Actor) -> None:
    """End the session of this browser, and with it all tabs."""
    if actor.session is None:
        return
    with service.store.write() as connection:
        if end_session(connection, actor.session, SessionEnd.SIGNED_OUT, service.clock()):
            note_event(connection, actor.name, service.clock(), AuditKind.SIGN_OUT, "")
