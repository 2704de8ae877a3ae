"""Who may call what of the service: each public call is found by itself, and none is open that declares no role."""

from __future__ import annotations

import enum
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import w365.service
from w365.errors import NotAllowed
from w365.model import Actor, Role
from w365.service import own_data
from w365.service.access import authorize, needs, require
from w365.service.configuring import settings
from w365.service.connecting import sign_ins, stored_connections
from w365.service.importing import choices
from w365.service.matching import learning, run
from w365.service.people import roles, service_tokens
from w365.service.retention import erasure, keeping
from w365.service.syncing import providers, runs, schedules
from w365.service.telling import notices
from w365.service.writeback import compare, place

READING = ("can", "count", "find", "get", "has", "list", "read", "say", "search")
"""What a call begins with that changes nothing and that a viewer may therefore ask."""

FOR_ADMINS = (
    *(settings, stored_connections, notices, own_data, roles, schedules, service_tokens, sign_ins),
    *(erasure, keeping, learning),
)
"""Modules that say how the program works and what it connects to: what changes anything in them needs an admin."""

OTHERWISE = {
    Role.VIEWER: {
        *(
            "candidates_of",
            "compare_periods",
            "crm_address",
            "crm_id_of",
            "differences_file",
            "domains_on",
            "next_item",
        ),
        *(
            "preview_match",
            "rows_of_domain",
            "end_own_session",
            "sign_out",
            "statistic_lines",
            "stay",
            "write_file",
            "write_requested",
        ),
    },
    Role.ANALYST: {compare.read_sheet.__name__, compare.sheet_as_read.__name__, choices.read_remembered.__name__},
    Role.ADMIN: {
        *(roles.list_people.__name__, roles.find_person.__name__),
        *(roles.list_audit_log.__name__, roles.list_audit_names.__name__),
        service_tokens.list_tokens.__name__,
        *(stored_connections.get_connection.__name__, run.make_change.__name__, run.try_change.__name__),
        *(providers.verify_provider.__name__, providers.verify_crm.__name__, runs.confirm_gone.__name__),
        *(providers.add_manual_provider.__name__, place.name_place.__name__),
        *(place.list_tables.__name__, place.list_columns.__name__),
    },
}
"""Calls that do not follow these two rules."""


class Nobody(enum.IntEnum):
    """A role below all others."""

    NOBODY = 0


class Reached(BaseException):
    """A call looked at one of its arguments; nobody catches this."""


class Untouchable:
    """An argument that must not be looked at."""

    def _touch(self, *_: object) -> Any:
        raise Reached

    __getattr__ = __bool__ = __eq__ = __call__ = __iter__ = __len__ = __str__ = _touch
    __hash__ = None  # type: ignore[assignment]


def find_calls() -> Iterator[Callable[..., object]]:
    """Find every public function and method of the service, wherever it is, that takes an actor."""
    for found in pkgutil.walk_packages(w365.service.__path__, f"{w365.service.__name__}."):
        module = importlib.import_module(found.name)
        classes = [one for _, one in inspect.getmembers(module, inspect.isclass) if one.__module__ == module.__name__]
        for owner in (module, *classes):
            for name, call in inspect.getmembers(owner, inspect.isfunction):
                is_public = call.__module__ == module.__name__ and not name.startswith("_")
                if is_public and takes_actor(call) and call not in (require, authorize):
                    yield call


def takes_actor(call: Callable[..., object]) -> bool:
    return any(is_actor(one) for one in inspect.signature(call).parameters.values())


def is_actor(parameter: inspect.Parameter) -> bool:
    return parameter.name == "actor" or "Actor" in str(parameter.annotation)


def lets_in(call: Callable[..., object], role: Any) -> bool:
    """Call with arguments that must not be looked at, and say whether anything but the refusal came of it."""
    actor, untouchable = Actor("dan", role), Untouchable()
    parameters = inspect.signature(call).parameters.values()
    given = {one.name: actor if is_actor(one) else untouchable for one in parameters}
    named = {one.name: given.pop(one.name) for one in parameters if one.kind is one.KEYWORD_ONLY}
    try:
        call(*given.values(), **named)
    except NotAllowed:
        return False
    except (Reached, Exception):  # noqa: BLE001 - the call went on with what cannot be used
        return True
    return True


def least_role_that_enters(call: Callable[..., object]) -> object:
    return next((role for role in (Nobody.NOBODY, *Role) if lets_in(call, role)), None)


def least_role_by_rule(call: Callable[..., object]) -> Role:
    for role, names in OTHERWISE.items():
        if call.__name__ in names:
            return role
    if call.__name__.split("_")[0] in READING:
        return Role.VIEWER
    return Role.ADMIN if call.__module__ in {one.__name__ for one in FOR_ADMINS} else Role.ANALYST


CALLS = list(find_calls())


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.__module__.split('.')[-1]}.{call.__name__}")
def test_each_call_refuses_whoever_has_too_low_a_role_before_it_looks_at_anything(call: Callable[..., object]) -> None:
    assert least_role_that_enters(call) == least_role_by_rule(call)


def test_the_calls_are_found_and_each_exception_is_one_of_them() -> None:
    names = {call.__name__ for call in CALLS}
    assert len(CALLS) > 100
    assert set().union(*OTHERWISE.values()) <= names


def test_a_refusal_says_what_is_needed_and_who_asked() -> None:
    @needs(Role.ADMIN)
    def change(_service: object, actor: Actor) -> None:
        raise AssertionError

    with pytest.raises(NotAllowed, match="This needs the role admin; you are signed in as analyst") as raised:
        change(object(), Actor("ben", Role.ANALYST))
    assert (raised.value.kept, raised.value.do) == ("Nothing was changed.", "Ask an admin.")


def test_a_call_that_is_not_declared_or_looks_too_late_is_let_in_by_nobodys_role() -> None:
    def undeclared(service: Any, actor: Actor) -> None:
        service.store.write()

    def late(service: Any, actor: Actor, until: Any) -> None:
        if until < service.clock():
            raise ValueError
        needs(Role.ADMIN)(undeclared)(service, actor)

    def lazy(service: Any, actor: Actor) -> Iterator[None]:
        yield needs(Role.ADMIN)(undeclared)(service, actor)

    for call in (undeclared, late, lazy):
        assert least_role_that_enters(call) is Nobody.NOBODY
