"""How files are read: what was chosen for the last one of a provider is tried first on the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from w365.model import Actor, Role
from w365.service import Service
from w365.service.access import needs
from w365.sheets import Field, Places, Reading, Sheet, guess_columns
from w365.store.db.engine import Connection
from w365.store.importing.reading_choices import put_choice, read_choice

MAPPINGS = "mappings"
"""The target of a file of mappings, which may name every provider."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What was chosen for the last file: how it was read, and by field the heading that nobody would have guessed."""

    reading: Reading = field(default_factory=Reading)
    columns: Mapping[str, str] = field(default_factory=dict)


def find_accounts_target(provider_id: int) -> str:
    return f"provider {provider_id}"


@needs(Role.ANALYST)
def read_remembered(service: Service, actor: Actor, target: str) -> Remembered:
    """Read what was chosen for the last file of this target."""
    with service.store.read() as connection:
        stored = read_choice(connection, target)
    return Remembered(Reading(**stored.get("reading", {})), stored.get("columns", {}))


def remember(connection: Connection, target: str, sheet: Sheet, fields: Sequence[Field], places: Places) -> None:
    """Keep how a file was read that was imported; that hidden lines were left out is asked anew."""
    guessed = guess_columns(sheet.headings, fields)
    columns = {
        field.name: sheet.headings[places[field.name]] if field.name in places else ""
        for field in fields
        if places.get(field.name) != guessed.get(field.name)
    }
    reading = replace(sheet.table.reading, leaves_hidden=False)
    put_choice(connection, target, {"reading": asdict(reading), "columns": columns})


def choose_columns(headings: Sequence[str], fields: Sequence[Field], remembered: Remembered) -> dict[str, int]:
    """Give each field its column: as the last time where the heading is there once, or else by its heading."""
    chosen = {
        name: headings.index(heading) if heading else None
        for name, heading in remembered.columns.items()
        if not heading or headings.count(heading) == 1
    }
    taken = set(chosen.values())
    guessed = {name: place for name, place in guess_columns(headings, fields).items() if place not in taken}
    return {name: place for name, place in {**guessed, **chosen}.items() if place is not None}
