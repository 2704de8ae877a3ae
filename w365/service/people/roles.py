"""What an admin does about people: look at them, give a role, disable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from w365.errors import InputError, NotFound
from w365.model import Actor, AuditKind, Role, SessionEnd
from w365.service import Service
from w365.service.access import RoleSource, explain_role, needs, role_of
from w365.store.db.engine import Connection
from w365.store.people.audit_log import AuditRow, list_event_actors, list_events, note_event
from w365.store.people.persons import PersonRow, disable, get_person, give_role, list_persons
from w365.store.people.sessions import count_open_sessions, end_sessions_of


@dataclass(frozen=True, slots=True)
class PersonView:
    """A person with the role that counts now, None for none, and where it comes from."""

    person: PersonRow
    role: Role | None
    source: RoleSource
    open_sessions: int


@needs(Role.ADMIN)
def list_people(service: Service, actor: Actor) -> list[PersonView]:
    """List who ever signed in, by name."""
    settings = service.settings.people
    with service.store.read() as connection:
        sessions = count_open_sessions(connection, service.clock() - settings.idle)
        return [
            PersonView(person, *explain_role(person, settings), sessions.get(person.id, 0))
            for person in list_persons(connection)
        ]


@needs(Role.ADMIN)
def find_person(service: Service, actor: Actor, named: str) -> PersonView:
    """Find a person by name, login or subject; raises NotFound, and InputError where several are called so."""
    people = list_people(service, actor)
    fitting = [view for view in people if named in (view.person.name, view.person.login, view.person.subject)]
    if len(fitting) > 1:
        subjects = ", ".join(view.person.subject for view in fitting)
        raise InputError(f"Several people are called “{named}”.", kept="Nothing was changed.", do=f"Say {subjects}.")
    if not fitting:
        raise NotFound(
            f"Nobody called “{named}” ever signed in.",
            kept="Nothing was changed.",
            do="`people list` says who did; W365_ADMINS lets in who never did.",
        )
    return fitting[0]


@needs(Role.ADMIN)
def set_role(service: Service, actor: Actor, person_id: int, role: Role | None) -> None:
    """Give a person a role, None for the one that the claims name.

    Raises NotFound, and InputError where nobody else could give roles any more; nothing is changed then.
    """
    told = f"given the role {role.name.lower()}" if role else "given back the role of the claims"
    _change(service, actor, person_id, lambda connection: give_role(connection, person_id, role), told)


@needs(Role.ADMIN)
def disable_person(service: Service, actor: Actor, person_id: int) -> None:
    """Sign a person out everywhere and let them in no more; raises as `set_role` does."""

    def shut_out(connection: Connection) -> None:
        disable(connection, person_id, is_disabled=True)
        end_sessions_of(connection, person_id, SessionEnd.DISABLED, service.clock())

    _change(service, actor, person_id, shut_out, "disabled")


@needs(Role.ADMIN)
def enable_person(service: Service, actor: Actor, person_id: int) -> None:
    """Let a person in again, with the role of before."""
    _change(service, actor, person_id, lambda connection: disable(connection, person_id, is_disabled=False), "enabled")


@needs(Role.ADMIN)
def end_sessions(service: Service, actor: Actor, person_id: int) -> int:
    """Sign a person out in every browser and say in how many that was; raises NotFound."""
    with service.store.write() as connection:
        person = _get(connection, person_id)
        number = end_sessions_of(connection, person_id, SessionEnd.SIGNED_OUT, service.clock())
        note_event(
            connection, actor.name, service.clock(), AuditKind.PERSON, f"{person.name} was signed out everywhere"
        )
    return number


@needs(Role.ADMIN)
def list_audit_log(
    service: Service, actor: Actor, kind: AuditKind | None = None, name: str = "", *, limit: int
) -> list[AuditRow]:
    """List the latest entries of a kind and of whoever has this name, or of all, the latest first."""
    with service.store.read() as connection:
        return list_events(connection, kind, name, limit=limit)


@needs(Role.ADMIN)
def list_audit_names(service: Service, actor: Actor) -> list[str]:
    """List who stands in the audit log, for the filter."""
    with service.store.read() as connection:
        return list_event_actors(connection)


def _change(service: Service, actor: Actor, person_id: int, change: Callable[[Connection], None], told: str) -> None:
    now = service.clock()
    with service.store.write() as connection:
        person = _get(connection, person_id)
        if person.subject in service.settings.people.admins:
            raise InputError(
                f"{person.name} is named in W365_ADMINS and stays an admin.",
                kept="Nothing was changed.",
                do="Take the person out of that setting first.",
            )
        had_an_admin = _has_an_admin(service, connection)
        change(connection)
        if had_an_admin and not _has_an_admin(service, connection):
            raise InputError(
                "There would be no admin left.", kept="Nothing was changed.", do="Make somebody else one first."
            )
        note_event(connection, actor.name, now, AuditKind.PERSON, f"{person.name} was {told}")


def _get(connection: Connection, person_id: int) -> PersonRow:
    person = get_person(connection, person_id)
    if person is None:
        raise NotFound("This person is not known.", kept="Nothing was changed.", do="Reload the page.")
    return person


def _has_an_admin(service: Service, connection: Connection) -> bool:
    """Tell whether there is somebody who can give roles."""
    settings = service.settings.people
    return bool(settings.admins) or any(role_of(each, settings) is Role.ADMIN for each in list_persons(connection))
