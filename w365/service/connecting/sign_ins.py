"""What an admin does about a person's sign-in: begin it, finish it, look at it, forget it."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from w365.connection import Connection, SignIn
from w365.errors import ConfigurationError, InputError
from w365.http.sign_in import authorization_code
from w365.http.sign_in.authorization_code import Consented
from w365.model import Actor, Role
from w365.portals.connectors import connector_of
from w365.service import Service
from w365.service.access import needs
from w365.service.connecting.consents import application_of, purpose_of_token
from w365.service.connecting.finder import finder_of
from w365.store.configuring.setting_changes import note_change
from w365.store.connecting.consents import (
    BegunSignIn,
    ConsentRow,
    forget_begun,
    forget_consent,
    put_begun,
    read_consent,
    read_version,
    replace_consent,
    take_begun,
)
from w365.store.db.engine import Connection as Database
from w365.store.db.sealing import Unsealable
from w365.store.runs import CRM
from w365.store.syncing.providers import get_provider

_MINUTES = 15
"""How long a sign-in may take from the page and back."""
_LIVES = dt.timedelta(days=90)
"""How long Entra ID keeps a refresh token that nobody uses."""
_SOON = dt.timedelta(days=14)
_PURPOSE = "consent begun"


@dataclass(frozen=True, slots=True)
class SignInView:
    """How it stands with the person's sign-in of a connection. ``problem`` and ``warning`` are whole sentences.

    ``is_blocked``: nothing but a new sign-in helps. After a refusal another try may.
    """

    person: str
    signed_in_at: dt.datetime | None
    lapses_at: dt.datetime | None
    problem: str = ""
    warning: str = ""
    is_blocked: bool = False


@needs(Role.VIEWER)
def get_sign_in(service: Service, actor: Actor, target: str) -> SignInView | None:
    """Read it; None where the connection needs no person."""
    with service.store.read() as database:
        connection = _find_connection(service, database, target)
        if connection is None or connection.sign_in is SignIn.APP:
            return None
        row = read_consent(database, target, application_of(connection))
    return _view(row, service.clock())


@needs(Role.VIEWER)
def say_sign_in(service: Service, actor: Actor, target: str) -> tuple[str, ...]:
    """In sentences whose sign-in a connection goes on, and until when it holds."""
    sign_in = get_sign_in(service, actor, target)
    if sign_in is None or sign_in.lapses_at is None:
        return ()
    until = f"Signed in as {sign_in.person}; unused, that lapses on {sign_in.lapses_at:%Y-%m-%d}."
    return tuple(filter(None, (until, sign_in.problem, sign_in.warning)))


@needs(Role.ADMIN)
def begin_sign_in(service: Service, actor: Actor, target: str, redirect_uri: str) -> str:
    """Return the address at which the person signs in; what comes back to ``redirect_uri`` is for `finish_sign_in`."""
    name, scope, connection = _what_to_sign_in(service, target)
    flow = authorization_code.begin(name, connection, scope, redirect_uri)
    with service.store.write() as database:
        _forget_old(database, service.clock())
        sealed = finder_of(service).sealer.seal(_PURPOSE, json.dumps(flow))
        put_begun(database, BegunSignIn(_digest(str(flow["state"])), target, sealed, actor.name, service.clock()))
    return str(flow["auth_uri"])


def finish_sign_in(service: Service, answer: Mapping[str, str]) -> SignInView:
    """Redeem what the browser brought back, once. The state in it, which only the admin's page knew, stands for him.

    Raises InputError for an answer nobody asked for, SignInRefused with what was stored before kept.
    """
    target, actor_name, flow = _take_begun(service, answer.get("state", ""))
    name, _, connection = _what_to_sign_in(service, target)
    consented = authorization_code.finish(name, connection, flow, answer)
    with service.store.write() as database:
        _keep(service, database, target, connection, consented)
        _audit(service, database, actor_name, name, f"signed in as {consented.person}")
        row = read_consent(database, target, application_of(connection))
    return _view(row, service.clock())


@needs(Role.ADMIN)
def forget_sign_in(service: Service, actor: Actor, target: str) -> None:
    """Delete the stored refresh token. What Entra ID has granted is withdrawn there."""
    with service.store.write() as database:
        name = get_provider(database, int(target)).name
        forget_consent(database, target)
        _audit(service, database, actor.name, name, "forgotten")


# --- behind them ---


def _what_to_sign_in(service: Service, target: str) -> tuple[str, str, Connection]:
    with service.store.read() as database:
        connection = _find_connection(service, database, target)
        provider = None if target == CRM else get_provider(database, int(target))
    connector = connector_of(provider.kind) if provider else None
    scope_of = connector.user_scope if connector else None
    if provider is None or scope_of is None or connection is None or connection.sign_in is SignIn.APP:
        raise InputError(
            "This connection signs in by itself; nobody needs to sign in for it.",
            kept="Nothing was changed.",
            do="Choose the sign-in with a person in its connection first.",
        )
    return provider.name, scope_of(connection), connection


def _find_connection(service: Service, database: Database, target: str) -> Connection | None:
    finder = finder_of(service)
    if target == CRM:
        return finder.find_for_crm(database)
    return finder.find_for_provider(database, get_provider(database, int(target)))


def _take_begun(service: Service, state: str) -> tuple[str, str, Mapping[str, Any]]:
    """Take what was begun under this state out of the table: it can be used once."""
    with service.store.write() as database:
        _forget_old(database, service.clock())
        begun = take_begun(database, _digest(state))
    if begun is None:
        raise InputError(
            "This sign-in was not begun here, was finished before, or took too long.",
            kept="Nothing was changed.",
            do=f"Begin again on the Providers page, and finish within {_MINUTES} minutes.",
        )
    try:
        flow = json.loads(finder_of(service).sealer.unseal(_PURPOSE, begun.flow))
    except Unsealable:
        raise ConfigurationError(
            "W365_SECRET_KEY changed since the sign-in was begun.", kept="Nothing was changed.", do="Begin again."
        ) from None
    return begun.target, begun.actor, flow


def _keep(service: Service, database: Database, target: str, connection: Connection, consented: Consented) -> None:
    """Store the new sign-in, under a version that no redemption under way holds, so that none of them replaces it."""
    before = read_version(database, target)
    application, now = application_of(connection), service.clock()
    token = finder_of(service).sealer.seal(purpose_of_token(target, application), consented.refresh_token)
    version = secrets.randbelow(1_000_000_000) if before is None else before + 1
    row = ConsentRow(target, application, token, version, consented.person, consented.has_mfa, now, now)
    replace_consent(database, row)


def _view(row: ConsentRow | None, now: dt.datetime) -> SignInView:
    if row is None:
        nobody = "Nobody has signed in for this connection yet. An admin signs in once."
        return SignInView("", None, None, nobody, is_blocked=True)
    lapses_at = row.used_at + _LIVES
    problem = warning = ""
    if row.refused:
        problem = f"{row.refused} Sign in again."
    elif lapses_at <= now:
        problem = "The sign-in was not used for 90 days and has lapsed. Sign in again."
    elif row.has_mfa is False:
        problem = (
            "The sign-in was made without multi-factor authentication, and Partner Center refuses it. "
            "Require it of that person in Entra ID, then sign in again."
        )
    elif lapses_at - now < _SOON:
        days = (lapses_at - now).days
        warning = f"The sign-in lapses in {days} days unless a sync or a verification uses it before."
    return SignInView(row.person, row.signed_in_at, lapses_at, problem, warning, bool(problem) and not row.refused)


def _forget_old(database: Database, now: dt.datetime) -> None:
    forget_begun(database, before=now - dt.timedelta(minutes=_MINUTES))


def _digest(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()


def _audit(service: Service, database: Database, actor: str, name: str, what: str) -> None:
    note_change(database, actor, service.clock(), f"sign-in: {name}", "", what)
