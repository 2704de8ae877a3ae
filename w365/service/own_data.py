"""One's own data: its files are its owner's only, and the demo and it never see each other's rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from w365 import config
from w365.errors import ConfigurationError, InputError
from w365.model import Actor, AuditKind, Role
from w365.own_files import narrow
from w365.service import Service
from w365.service.access import needs
from w365.store.db.engine import Store
from w365.store.people.audit_log import note_event
from w365.store.syncing.providers import is_empty


def keep_to_owner(settings: config.Settings, store: Store) -> list[str]:
    """Take the data folder and the database's files from everybody but their owner.

    Says where that cannot be, and of a database on a network folder that it is none for it.
    """
    return list(dict.fromkeys([*narrow(settings.data_folder), *store.narrow(), *store.warn_of_place()]))


@needs(Role.ADMIN)
def narrow_own_files(service: Service, actor: Actor) -> list[str]:
    """Do so once more, and say, a sentence each, what others on this machine may still be able to read."""
    return keep_to_owner(service.settings, service.store)


@needs(Role.ADMIN)
def leave_demo(service: Service, actor: Actor) -> None:
    """Remember in the data folder that the demo was left; the next start opens the real database."""
    if not service.settings.is_demo:
        raise InputError("This is not the demo.", kept="Nothing was changed.")
    try:
        with _noted(service, actor, "the demo was left"):
            config.leave_demo(service.settings)
    except OSError as error:
        raise ConfigurationError(
            f"The data folder cannot be written ({error.strerror}).", kept="Nothing was changed.", do="Set W365_HOME."
        ) from None


@needs(Role.VIEWER)
def can_return_to_demo(service: Service, actor: Actor) -> bool:
    """Tell whether the demo was left on the page and nothing of one's own is there yet."""
    if actor.role < Role.ADMIN or not config.has_left_demo(service.settings) or service.settings.connections():
        return False
    with service.store.read() as connection:
        return is_empty(connection)


@needs(Role.ADMIN)
def return_to_demo(service: Service, actor: Actor) -> None:
    if not can_return_to_demo(service, actor):
        raise InputError("There is data of your own here.", kept="Nothing was changed.")
    with _noted(service, actor, "the demo was opened again"):
        config.return_to_demo(service.settings)


@contextmanager
def _noted(service: Service, actor: Actor, told: str) -> Iterator[None]:
    """Put it into the audit log, unless what is done inside fails."""
    with service.store.write() as connection:
        note_event(connection, actor.name, service.clock(), AuditKind.SETTING, told)
        yield
