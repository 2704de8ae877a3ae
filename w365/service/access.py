"""Who may do what. Pages hide what a role cannot do; this is what refuses it."""

from __future__ import annotations

import functools
import getpass
import logging
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from w365.errors import NotAllowed
from w365.model import Actor, Role

_log = logging.getLogger(__name__)

_First = TypeVar("_First")
_Rest = ParamSpec("_Rest")
_Answer = TypeVar("_Answer")
_Call = Callable[Concatenate[_First, Actor, _Rest], _Answer]


def needs(role: Role) -> Callable[[_Call[_First, _Rest, _Answer]], _Call[_First, _Rest, _Answer]]:
    """Declare the least role of a call, whose second argument is its actor; a lower one gets NotAllowed.

    The actor is looked at before anything of the function runs, also where that is a generator, which by itself would
    look when its first value is asked for.
    """

    def declare(call: _Call[_First, _Rest, _Answer]) -> _Call[_First, _Rest, _Answer]:
        @functools.wraps(call)
        def checked(first: _First, actor: Actor, /, *args: _Rest.args, **kwargs: _Rest.kwargs) -> _Answer:
            require(actor, role)
            return call(first, actor, *args, **kwargs)

        return checked

    return declare


def require(actor: Actor, role: Role) -> None:
    """Raise NotAllowed unless the actor has at least this role."""
    if actor.role < role:
        _log.warning("refused: %r is %s, %s needed", actor.name, actor.role.name.lower(), role.name.lower())
        raise NotAllowed(
            f"This needs the role {role.name.lower()}; you are signed in as {actor.role.name.lower()}.",
            kept="Nothing was changed.",
            do="Ask an admin.",
        )


def local_user() -> Actor:
    """The operating-system user, who may do everything on the own machine."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # no entry in the user database, as in some containers
        name = "local user"
    return Actor(name, Role.ADMIN)
