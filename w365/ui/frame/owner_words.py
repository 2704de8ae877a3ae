"""The owner as a facet: everybody's rows, one's own, nobody's, or a named person's."""

from __future__ import annotations

from collections.abc import Mapping

from w365.model import Actor

NOBODY = "*nobody"
"""Rows without an owner. No owner's name begins with an asterisk; see `service.deciding.collaboration`."""


def owner_of(choice: str) -> str | None:
    """Return what the filter asks for: a name, "" for rows without an owner, None for all."""
    return None if not choice else choice.replace(NOBODY, "")


def owner_choices(amounts: Mapping[str, int], actor: Actor, chosen: str) -> dict[str, str]:
    """Label the choices with how many rows each has; "" among the amounts are those without an owner.

    What is chosen stays a choice when it has no rows any more.
    """
    labels = {"": "All owners", actor.name: f"My queue {amounts.get(actor.name, 0):,}"}
    labels[NOBODY] = f"Without owner {amounts.get('', 0):,}"
    others = {name: f"{name} {amount:,}" for name, amount in amounts.items() if name not in ("", actor.name)}
    return labels | others | ({} if chosen in labels | others else {chosen: f"{chosen} 0"})
