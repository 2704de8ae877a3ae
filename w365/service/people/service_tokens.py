"""Tokens of service accounts: made and revoked by admins, brought along by programs."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
from dataclasses import dataclass, replace

from w365.errors import AccessError, InputError, NotFound
from w365.model import Actor, AuditKind, Role
from w365.service import Service
from w365.service.access import end_of_token, needs, program_name
from w365.store.people.audit_log import note_event, note_event_once
from w365.store.people.service_tokens import TokenRow, add_token, end_token, find_token, note_token_use
from w365.store.people.service_tokens import get_token as get_token_row
from w365.store.people.service_tokens import list_tokens as list_token_rows

MOST_DAYS = 366
"""How long a token may live."""

_PREFIX = "w365_"
"""Secret scanners and people see by it what a lost token opens."""
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
_STEP = dt.timedelta(minutes=2)
"""How exactly the last use is known; less often than that nothing is written."""
_PAUSE = dt.timedelta(hours=12)
"""A token that was not used for so long is told in the audit log when it comes back."""
_SHORT = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token as it is made: `secret` is shown now and never again."""

    token: TokenRow
    secret: str


@needs(Role.ADMIN)
def make_token(service: Service, actor: Actor, name: str, role: Role, days: int) -> NewToken:
    """Make a token of the service account `name`, which may have several; InputError for what cannot be used."""
    if not _NAME.fullmatch(name):
        raise InputError(
            "A service account's name is 1 to 40 small letters, digits, “-”, “_” and “.”, and begins with one of the "
            "first two.",
            kept="Nothing was made.",
            do="Correct it.",
        )
    if role > Role.ANALYST:
        raise InputError("A program may be a viewer or an analyst.", kept="Nothing was made.", do="Choose one of them.")
    if not 1 <= days <= MOST_DAYS:
        raise InputError(f"A token lives 1 to {MOST_DAYS} days.", kept="Nothing was made.", do="Correct it.")
    now, secret = service.clock(), _PREFIX + secrets.token_urlsafe(32)
    row = TokenRow(0, name, role, secret[-4:], actor.name, now, now + dt.timedelta(days=days), None, None)
    with service.store.write() as connection:
        row = replace(row, id=add_token(connection, row, _digest(secret)))
        about = f"{_say(row)} was made, as {role.name.lower()} until {row.expires_at:%Y-%m-%d}"
        note_event(connection, actor.name, now, AuditKind.PROGRAM, about)
    return NewToken(row, secret)


@needs(Role.ADMIN)
def list_tokens(service: Service, actor: Actor) -> list[TokenRow]:
    """List all tokens by name, those that ended too."""
    with service.store.read() as connection:
        return list_token_rows(connection)


@needs(Role.ADMIN)
def revoke_token(service: Service, actor: Actor, token_id: int) -> TokenRow:
    """End a token: its next call is refused. NotFound without one, InputError where it was revoked before."""
    with service.store.write() as connection:
        row = get_token_row(connection, token_id)
        if row is None:
            raise NotFound(f"There is no token {token_id}.", kept="Nothing was changed.", do="`tokens list` has all.")
        if not end_token(connection, token_id, service.clock()):
            raise InputError(f"{_say(row)} was revoked before.", kept="Nothing was changed.")
        note_event(connection, actor.name, service.clock(), AuditKind.PROGRAM, f"{_say(row)} was revoked")
    return row


@needs(Role.VIEWER)
def read_own_token(service: Service, actor: Actor) -> TokenRow:
    """The token that this service account came with."""
    with service.store.read() as connection:
        row = get_token_row(connection, actor.token or 0)
    if row is None:
        raise NotFound("Nobody came with a token here.")
    return row


def enter_program(service: Service, secret: str) -> Actor:
    """Return the actor of a service account that brings this secret; AccessError where it opens nothing (any more).

    That one comes again that ended is kept: whoever has it does not know, or should not have it.
    """
    now = service.clock()
    with service.store.read() as connection:
        row = find_token(connection, _digest(secret))
    if row is None:
        raise _refused("This token is not known.")
    if end := end_of_token(row, now):
        with service.store.write() as connection:
            about = f"{_say(row)} was refused: {end}"
            note_event_once(connection, program_name(row), now, AuditKind.REFUSAL, about, within=_SHORT)
        raise _refused(f"This token {end}.")
    if row.used_at is None or now - row.used_at >= _STEP:
        _note_use(service, row, now)
    return Actor(program_name(row), row.role, token=row.id)


def _note_use(service: Service, row: TokenRow, now: dt.datetime) -> None:
    with service.store.write() as connection:
        note_token_use(connection, row.id, now)
        if row.used_at is None or now - row.used_at >= _PAUSE:
            about = f"as {row.role.name.lower()}, with {_say(row)[0].lower()}{_say(row)[1:]}"
            note_event(connection, program_name(row), now, AuditKind.SIGN_IN, about)


def _say(row: TokenRow) -> str:
    return f"Token {row.id} of {row.name} (…{row.ending})"


def _digest(secret: str) -> str:
    """Of 256 random bits nothing is guessed, so a fast digest without salt is enough, and can be looked up."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _refused(what: str) -> AccessError:
    return AccessError(what, kept="Nothing was done.", do="Ask an admin for a new one.")
