"""`python -m w365 people …`: who signed in, and with which role; also where nobody is an admin any more."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Annotated, Any

import typer

from w365.cli.frame import AsJson, open_service, print_answer, print_rows
from w365.model import Actor, Role
from w365.service import Service
from w365.service.access import command_line_user
from w365.service.people.roles import PersonView

people = typer.Typer(help="See who signs in, and say with which role.", no_args_is_help=True)
_Person = Annotated[str, typer.Argument(help="Name, login or subject.")]


class RoleWord(enum.StrEnum):
    """What can be given."""

    VIEWER = "viewer"
    ANALYST = "analyst"
    ADMIN = "admin"
    SIGN_IN = "sign-in"


@people.command("list")
def show_people(as_json: AsJson = False) -> None:
    """List who ever signed in."""
    from w365.service.people.roles import list_people

    with open_service() as service:
        rows = [_row(view) for view in list_people(service, command_line_user())]
    print_rows(as_json, "people", rows)


@people.command("role")
def give_role(person: _Person, role: RoleWord, as_json: AsJson = False) -> None:
    """Give somebody a role, or `sign-in` for the one that the sign-in says."""
    from w365.service.people.roles import set_role

    chosen = None if role is RoleWord.SIGN_IN else Role[role.name]
    _change(person, as_json, lambda service, actor, person_id: set_role(service, actor, person_id, chosen))


@people.command("disable")
def shut_out(person: _Person, as_json: AsJson = False) -> None:
    """Sign somebody out everywhere and let them in no more."""
    from w365.service.people.roles import disable_person

    _change(person, as_json, disable_person)


@people.command("enable")
def let_in(person: _Person, as_json: AsJson = False) -> None:
    """Let somebody in again."""
    from w365.service.people.roles import enable_person

    _change(person, as_json, enable_person)


def _change(named: str, as_json: bool, change: Callable[[Service, Actor, int], None]) -> None:
    from w365.service.people.roles import find_person

    actor = command_line_user()
    with open_service() as service:
        person = find_person(service, actor, named).person
        change(service, actor, person.id)
        row = _row(find_person(service, actor, person.subject))
    print_answer(as_json, row, f"{row['name']}: role {row['role'] or 'none'}, from {row['role_from']}.")


def _row(view: PersonView) -> dict[str, Any]:
    return {
        "name": view.person.name,
        "login": view.person.login,
        "role": view.role.name.lower() if view.role else None,
        "role_from": view.source.value,
        "disabled": view.person.is_disabled,
        "open_sessions": view.open_sessions,
        "last_seen": view.person.last_seen_at.isoformat(timespec="seconds"),
        "subject": view.person.subject,
    }
