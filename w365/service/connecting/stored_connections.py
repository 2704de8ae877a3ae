"""Connections as an admin sees and changes them. A secret goes in and never comes out again."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from w365.connection import DATAVERSE, Connection
from w365.errors import AlreadyRunning, ConfigurationError, InputError, NotFound
from w365.model import Actor, AuditKind, ProviderKind, Role
from w365.portals.connectors import CONNECTORS, connector_of
from w365.service import Service
from w365.service.access import needs
from w365.service.connecting.fields import SECRET, labels_of
from w365.service.connecting.finder import build_from_row, finder_of, purpose_of
from w365.store.active_runs import is_under_way
from w365.store.configuring.setting_changes import note_change
from w365.store.connecting.connection_rows import ConnectionRow, put_row, read_row, read_rows, remove_row
from w365.store.connecting.consents import forget_begun
from w365.store.connecting.sealed_texts import put_sealed, read_sealed
from w365.store.db.engine import Connection as Database
from w365.store.db.sealing import Unsealable
from w365.store.people.audit_log import note_event
from w365.store.runs import CRM
from w365.store.syncing.providers import find_provider, put_provider, remove_unused_provider

ALWAYS_LISTED = CONNECTORS[0].kind
"""This kind has a card before it is connected, so that a new database says what to do."""

_KEPT = "The connection was not changed."


@dataclass(frozen=True, slots=True)
class ConnectionView:
    """A connection without its secret. ``parts`` are by the last words of the settings' names."""

    target: str
    name: str
    setting: str
    is_environments: bool
    parts: Mapping[str, str]
    has_secret: bool
    changed_at: dt.datetime | None
    changed_by: str


@needs(Role.ADMIN)
def get_connection(service: Service, actor: Actor, target: str) -> ConnectionView:
    """Read the connection of a provider, by its id as text, or of the CRM."""
    with service.store.read() as database:
        name, setting = _name_and_setting(database, target)
        row = read_row(database, target) or ConnectionRow(target, setting)
    is_environments = finder_of(service).is_environments(row)
    parts = _parts(service.settings.connections()[setting]) if is_environments else row.parts
    has_secret = is_environments or bool(row.secret)
    return ConnectionView(target, name, setting, is_environments, parts, has_secret, row.changed_at, row.changed_by)


@needs(Role.ADMIN)
def save_connection(service: Service, actor: Actor, target: str, values: Mapping[str, str]) -> int:
    """Store the connection and return how many parts differ from before.

    Without a secret the stored one is kept, as long as place and application stay the same. Raises InputError and
    ConfigurationError with everything as it was.
    """
    _refuse_demo(service)
    with service.store.write() as database:
        return _save(service, database, actor, target, values)


@needs(Role.ADMIN)
def add_provider(service: Service, actor: Actor, kind: ProviderKind, name: str, values: Mapping[str, str]) -> int:
    """Add a provider with its connection, both or neither, and return its id."""
    _refuse_demo(service)
    if connector_of(kind) is None:
        raise InputError("A provider of this kind cannot be connected.", kept="Nothing was added.")
    with service.store.write() as database:
        provider_id = put_provider(database, name, kind)
        _save(service, database, actor, str(provider_id), values)
    return provider_id


@needs(Role.ADMIN)
def remove_connection(service: Service, actor: Actor, target: str) -> bool:
    """Forget the connection with its secret and sign-in; True where the provider went with it.

    A provider with provider accounts stays, and so do its mappings and history. One without any goes, unless it is the
    last of its kind that is always listed.
    """
    with service.store.write() as database:
        name, _ = _name_and_setting(database, target)
        if finder_of(service).is_environments(read_row(database, target)):
            raise _set_by_environment(name)
        _refuse_while_syncing(database, name)
        remove_row(database, target)
        _audit(service, database, actor, name, "stored", "removed")
        return target != CRM and remove_unused_provider(database, int(target), always_listed=ALWAYS_LISTED)


@needs(Role.ADMIN)
def rotate_secrets(service: Service, actor: Actor) -> tuple[int, list[str]]:
    """Encrypt with the newest key whatever an older one still opens; return how many, and what none of them opens."""
    sealer = finder_of(service).sealer
    renewed = 0
    lost: set[str] = set()
    with service.store.write() as database:
        names = {target: _name_and_setting(database, target)[0] for target in read_rows(database)}
        forget_begun(database)
        for sealed in read_sealed(database):
            try:
                if not sealer.is_newest(sealed.text):
                    put_sealed(database, dataclasses.replace(sealed, text=sealer.renew(sealed.text)))
                    renewed += 1
            except Unsealable:
                lost.add(names.get(sealed.target, sealed.target))
        told = f"the secret key was rotated: {renewed} stored secrets encrypted anew, {len(lost)} unreadable"
        note_event(database, actor.name, service.clock(), AuditKind.SETTING, told)
    return renewed, sorted(lost)


# --- behind them ---


def _save(service: Service, database: Database, actor: Actor, target: str, values: Mapping[str, str]) -> int:
    name, setting = _name_and_setting(database, target)
    before = read_row(database, target) or ConnectionRow(target, setting)
    if finder_of(service).is_environments(before):
        raise _set_by_environment(name)
    given = {part: values.get(part, "").strip() for part in labels_of(setting)}
    secret = given.pop(SECRET)
    after = dataclasses.replace(before, parts={part: text for part, text in given.items() if text})
    _check(service, after, secret or _kept_secret(before, after))
    changes = _changes(before, after, has_new_secret=bool(secret))
    if changes:
        sealed = finder_of(service).sealer.seal(purpose_of(after), secret) if secret else before.secret
        put_row(
            database,
            dataclasses.replace(
                after, secret=sealed, for_environment=False, changed_at=service.clock(), changed_by=actor.name
            ),
        )
    for label, old, new in changes:
        _audit(service, database, actor, f"{name}: {label}", old, new)
    return len(changes)


def _kept_secret(before: ConnectionRow, after: ConnectionRow) -> str:
    """Stand for the stored secret in the checks, where it may be kept."""
    if not before.secret:
        return ""
    if purpose_of(before) != purpose_of(after):
        raise InputError(
            "The client secret is needed again, because address, tenant or client id changed.",
            kept=_KEPT,
            do="Enter it; a stored secret is sent nowhere else than where it was meant for.",
        )
    return "kept"


def _check(service: Service, row: ConnectionRow, secret: str) -> None:
    try:
        build_from_row(service.settings, row, secret)
    except ConfigurationError as error:
        labels = labels_of(row.setting)
        field = next((part for part in labels if labels[part] == error.setting), "")
        raise InputError(error.what, kept=_KEPT, do=error.do, field=field) from None


def _changes(before: ConnectionRow, after: ConnectionRow, *, has_new_secret: bool) -> list[tuple[str, str, str]]:
    """Label, old and new value of what differs; of a secret only that it changed."""
    labels = labels_of(after.setting)
    changes = [
        (label, before.parts.get(part, ""), after.parts.get(part, ""))
        for part, label in labels.items()
        if before.parts.get(part, "") != after.parts.get(part, "")
    ]
    if has_new_secret:
        changes.append((labels[SECRET], "stored" if before.secret else "none", "changed"))
    return changes


def _parts(connection: Connection) -> dict[str, str]:
    return {
        "URL": connection.url,
        "TENANT_ID": connection.tenant_id,
        "CLIENT_ID": connection.client_id,
        "SIGN_IN": connection.sign_in.value,
        "CALLS_PER_MINUTE": str(connection.calls_per_minute or 0),
        "GDAP_CUSTOMERS": "on" if connection.lists_gdap else "off",
    }


def _name_and_setting(database: Database, target: str) -> tuple[str, str]:
    if target == CRM:
        return "CRM", DATAVERSE
    provider = find_provider(database, int(target)) if target.isdecimal() else None
    connector = connector_of(provider.kind) if provider else None
    if provider is None or connector is None:
        raise NotFound("There is no provider here that can be connected.", kept="Nothing was changed.")
    return provider.name, connector.setting


def _refuse_while_syncing(database: Database, name: str) -> None:
    if is_under_way(database, CRM if name == "CRM" else name):
        raise AlreadyRunning(f"{name} is being synced.", kept=_KEPT, do="Cancel the sync or wait for its end.")


def _refuse_demo(service: Service) -> None:
    if service.settings.is_demo:
        raise InputError(
            "This is the demo: its database holds fictional customers and takes no connection of yours.",
            kept="Nothing was stored.",
            do="Leave the demo first; it stays as it is.",
        )


def _set_by_environment(name: str) -> InputError:
    return InputError(
        f"The connection of {name} is set by the environment, which wins.",
        kept=_KEPT,
        do="Change it there and start the app again.",
    )


def _audit(service: Service, database: Database, actor: Actor, name: str, old: str, new: str) -> None:
    note_change(database, actor.name, service.clock(), f"connection: {name}", old, new)
