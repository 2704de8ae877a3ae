"""Who may do what. Pages hide what a role cannot do; this is what refuses it."""

from __future__ import annotations

import getpass
import logging

from w365.errors import NotAllowed
from w365.model import Actor, Role

_log = logging.getLogger(__name__)


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
