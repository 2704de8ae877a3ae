"""Who may do what. Pages hide what a role cannot do; this is what refuses it.

Of a person who signed in, neither the role nor whether they are still here is taken from the actor that a page kept:
the database is asked at every call, so that whoever is disabled, demoted or signed out is so in every tab at once. So
it is asked about the token of a service account.
"""

from __future__ import annotations

import datetime as dt
import enum
import functools
import getpass
import logging
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Concatenate, ParamSpec, TypeVar

from w365.errors import AccessError, NotAllowed, SessionRanOut, SignedOut
from w365.model import Actor, AuditKind, Role, SessionEnd
from w365.service import Service
from w365.sign_in_settings import SignInSettings
from w365.store.people.audit_log import note_event_once
from w365.store.people.persons import PersonRow
from w365.store.people.service_tokens import TokenRow, get_token
from w365.store.people.sessions import SessionRow, get_session

_log = logging.getLogger(__name__)

_Rest = ParamSpec("_Rest")
_Answer = TypeVar("_Answer")
_Call = Callable[Concatenate[Service, Actor, _Rest], _Answer]


def needs(role: Role) -> Callable[[_Call[_Rest, _Answer]], _Call[_Rest, _Answer]]:
    """Declare the least role of a call, whose second argument is its actor.

    A lower one gets NotAllowed, and whoever is signed in no more SignedOut.

    The actor is looked at before anything of the function runs, also where that is a generator, which by itself would
    look when its first value is asked for.
    """

    def declare(call: _Call[_Rest, _Answer]) -> _Call[_Rest, _Answer]:
        @functools.wraps(call)
        def checked(service: Service, actor: Actor, /, *args: _Rest.args, **kwargs: _Rest.kwargs) -> _Answer:
            return call(service, authorize(service, actor, role, call.__name__), *args, **kwargs)

        return checked

    return declare


def authorize(service: Service, actor: Actor, role: Role, to_do: str) -> Actor:
    """Return the actor with the role of this moment, which must be at least the one that something needs."""
    if actor.session is None and actor.token is None:
        require(actor, role)
        return actor
    now = replace(actor, role=_role_now(service, actor))
    try:
        require(now, role)
    except NotAllowed:
        about = f"{to_do} needs the role {role.name.lower()}, not {now.role.name.lower()}"
        with service.store.write() as connection:
            at = service.clock()
            note_event_once(connection, actor.name, at, AuditKind.REFUSAL, about, within=_OFTEN)
        raise
    return now


_OFTEN = dt.timedelta(minutes=2)
"""Who is refused the same again and again, as a program may be, is told once in this time."""


def require(actor: Actor, role: Role) -> None:
    """Raise NotAllowed unless the actor has at least this role."""
    if actor.role < role:
        _log.warning("refused: %r is %s, %s needed", actor.name, actor.role.name.lower(), role.name.lower())
        raise NotAllowed(
            f"This needs the role {role.name.lower()}; you are signed in as {actor.role.name.lower()}.",
            kept="Nothing was changed.",
            do="Ask an admin.",
        )


def _role_now(service: Service, actor: Actor) -> Role:
    return _role_of_token(service, actor.token) if actor.token else _role_in_session(service, actor.session or 0)


def _role_of_token(service: Service, token_id: int) -> Role:
    with service.store.read() as connection:
        row = get_token(connection, token_id)
    if row is None or end_of_token(row, service.clock()):
        raise AccessError("This token ended.", kept="Nothing was changed.", do="Ask an admin for a new one.")
    return row.role


def end_of_token(row: TokenRow, now: dt.datetime) -> str:
    """Say how a token ended; nothing while it lives."""
    if row.revoked_at:
        return "was revoked"
    return "expired" if row.expires_at <= now else ""


def program_name(row: TokenRow) -> str:
    """Who acts where a program does; no person's name has a colon."""
    return f"service:{row.name}"


def _role_in_session(service: Service, session_id: int) -> Role:
    with service.store.read() as connection:
        session = get_session(connection, session_id)
    if session is None:
        raise signed_out(SessionEnd.SIGNED_OUT)
    role = role_of(session, service.settings.people)
    if end := end_of_session(session, service.settings.people, service.clock()):
        raise signed_out(end[0], role)
    if role is None:
        raise signed_out(SessionEnd.DISABLED)
    return role


class RoleSource(enum.StrEnum):
    """Where a person's role comes from: the first of these that gives one."""

    SETTINGS = "settings"
    ADMIN = "admin"
    SIGN_IN = "sign-in"
    EVERYBODY = "everybody"
    NOBODY = "nobody"


def role_of(person: PersonRow | SessionRow, settings: SignInSettings) -> Role | None:
    """What a person may do now; None: nothing."""
    return explain_role(person, settings)[0]


def explain_role(person: PersonRow | SessionRow, settings: SignInSettings) -> tuple[Role | None, RoleSource]:
    """What a person may do now, and who says so.

    Who is named in the settings is an admin; then counts what an admin gave, then what the latest sign-in claimed.
    """
    if person.subject in settings.admins:
        return Role.ADMIN, RoleSource.SETTINGS
    if person.is_disabled:
        return None, RoleSource.NOBODY
    if person.given_role:
        return person.given_role, RoleSource.ADMIN
    if person.claimed_role:
        return person.claimed_role, RoleSource.SIGN_IN
    return (Role.VIEWER, RoleSource.EVERYBODY) if settings.lets_unknown_view else (None, RoleSource.NOBODY)


def end_of_session(
    session: SessionRow, settings: SignInSettings, now: dt.datetime
) -> tuple[SessionEnd, dt.datetime] | None:
    """Why and when a session ended; None while it goes on."""
    if session.ended_at is not None:
        return session.ended_by or SessionEnd.SIGNED_OUT, session.ended_at
    too_old, idle = session.begun_at + settings.longest, session.used_at + settings.idle
    if now < min(too_old, idle):
        return None
    return (SessionEnd.TOO_OLD, too_old) if too_old <= idle else (SessionEnd.IDLE, idle)


_ENDS = {
    SessionEnd.SIGNED_OUT: "You are signed out.",
    SessionEnd.IDLE: "You were signed out because nothing was done here for a while.",
    SessionEnd.TOO_OLD: "You were signed out because you signed in long ago.",
    SessionEnd.DISABLED: "Your access was taken away.",
}


RAN_OUT = (SessionEnd.IDLE, SessionEnd.TOO_OLD)
"""What nobody did: time alone."""


def signed_out(end: SessionEnd, role: Role | None = None) -> SignedOut:
    """Say that a session ended. ``role`` is what its person may do now; with one, a page may stay when time ran out."""
    kept, do = "Nothing was changed.", "Sign in again; what you typed stays on the page."
    if end in RAN_OUT and role is not None:
        return SessionRanOut(_ENDS[end], role=role.value, kept=kept, do=do)
    return SignedOut(_ENDS[end], kept=kept, do="Ask an admin." if end is SessionEnd.DISABLED else do)


def local_user() -> Actor:
    """The operating-system user, who may do everything on the own machine."""
    return Actor(_system_user(), Role.ADMIN)


def command_line_user() -> Actor:
    """Who types a command: whoever can read the settings may do everything, from whichever machine it is."""
    return Actor(f"cli:{_system_user()}@{socket.gethostname()}", Role.ADMIN)


def _system_user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no entry in the user database, as in some containers
        return "local user"
