"""The owner as a facet: everybody's rows, one's own, nobody's, or a named person's."""

from __future__ import annotations

from collections.abc import Mapping

from w365.model import Actor

MINE, NOBODY = "*mine", "*nobody"
"""No person's name begins with an asterisk here; see `service.teamwork`."""


def owner_of(choice: str, actor: Actor) -> str | None:
    """Return what the filter asks for: a name, "" for rows without an owner, None for all."""
    return {"": None, MINE: actor.name, NOBODY: ""}.get(choice, choice)


def owner_choices(amounts: Mapping[str, int], actor: Actor) -> dict[str, str]:
    """Label the choices with their counts."""
    labels = {"": "All owners", MINE: f"My queue {amounts.get(actor.name, 0):,}", NOBODY: "Without owner"}
    if "" in amounts:
        labels[NOBODY] += f" {amounts['']:,}"
    others = {name: f"{name} {amount:,}" for name, amount in amounts.items() if name not in ("", actor.name)}
    return labels | others
