"""Providers, told apart by their names whatever the case."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from w365.errors import InputError, NotFound
from w365.model import ProviderKind
from w365.store import tables as t
from w365.store.configuring.schedules import forget_schedule


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """A provider as it is stored. `cardinality` is its exception from the policy, None where there is none."""

    id: int
    name: str
    kind: ProviderKind
    cardinality: str | None
    verified_at: dt.datetime | None
    verified_as: str
    is_text_proof: bool = False


def list_providers(connection: sa.Connection) -> list[ProviderRow]:
    """All of them, in the order in which they were added."""
    return [_row(row) for row in connection.execute(_ALL)]


def read_provider_names(
    connection: sa.Connection, kinds: Collection[ProviderKind] = tuple(ProviderKind)
) -> dict[int, str]:
    """Read what each provider (of these kinds) is called, by id and in the order of the ids."""
    return {provider.id: provider.name for provider in list_providers(connection) if provider.kind in kinds}


def find_provider(connection: sa.Connection, provider_id: int) -> ProviderRow | None:
    row = connection.execute(_OF_ID, {"of_id": provider_id}).one_or_none()
    return _row(row) if row else None


def find_provider_named(connection: sa.Connection, name: str) -> ProviderRow | None:
    """Find a provider by exactly this name, as the target of a run has it."""
    row = connection.execute(_OF_NAME, {"of_name": name}).one_or_none()
    return _row(row) if row else None


def get_provider(connection: sa.Connection, provider_id: int) -> ProviderRow:
    """Read a provider; NotFound when there is none."""
    provider = find_provider(connection, provider_id)
    if provider is None:
        raise NotFound("There is no such provider.", do="Reload the page.")
    return provider


def get_manual_provider(
    connection: sa.Connection, provider_id: int, *, kept: str = "Nothing was changed."
) -> ProviderRow:
    """Read a provider whose rows are entered by hand; InputError where it is none."""
    provider = find_provider(connection, provider_id)
    if provider is None or provider.kind is not ProviderKind.MANUAL:
        raise InputError(
            "Rows can be entered and imported at manual providers only.",
            kept=kept,
            do="Choose a manual provider; an admin adds one on the Providers page.",
        )
    return provider


def free_name(name: str, taken: Iterable[str]) -> str:
    """Return the name, or with the first number behind it that makes it none of those taken."""
    folded = {other.casefold() for other in taken}
    names = (name, *(f"{name} ({number})" for number in range(2, len(folded) + 3)))
    return next(candidate for candidate in names if candidate.casefold() not in folded)


def put_provider(connection: sa.Connection, name: str, kind: ProviderKind) -> int:
    """Add a provider and return its id. Raises InputError for no name, and for one that is there already."""
    text = " ".join(name.split())
    if not text:
        raise InputError("A provider needs a name.", kept="Nothing was added.")
    if text.casefold() in (known.casefold() for known in connection.scalars(sa.select(t.Provider.name))):
        raise InputError(f"A provider “{text}” exists already.", kept="Nothing was added.", do="Choose another name.")
    insert = sa.insert(t.Provider).values(name=text, kind=kind)
    return int(connection.execute(insert.returning(t.Provider.id)).scalar_one())


def note_verified(connection: sa.Connection, provider_id: int, at: dt.datetime, sentences: Iterable[str]) -> None:
    """Keep when the connection was last proved, and what worked."""
    values = {"verified_at": at, "verified_as": " ".join(sentences)}
    connection.execute(sa.update(t.Provider).where(t.Provider.id == provider_id).values(values))


def remove_unused_provider(connection: sa.Connection, provider_id: int, *, always_listed: ProviderKind) -> bool:
    """Remove a provider without provider accounts and history; False where it stays.

    The last one of the kind that is always listed stays too.
    """
    kinds = {provider.id: provider.kind for provider in list_providers(connection)}
    is_last = list(kinds.values()).count(kinds[provider_id]) == 1
    if (is_last and kinds[provider_id] is always_listed) or _is_used(connection, provider_id):
        return False
    forget_schedule(connection, str(provider_id))
    connection.execute(sa.delete(t.Provider).where(t.Provider.id == provider_id))
    return True


def _is_used(connection: sa.Connection, provider_id: int) -> bool:
    columns = (t.ProviderAccount.provider_id, t.Snapshot.provider_id)
    rows = (sa.select(column).where(column == provider_id).limit(1) for column in columns)
    return any(connection.scalar(row) is not None for row in rows)


def count_gone(connection: sa.Connection) -> dict[int, int]:
    """Count the provider accounts that are gone, by provider; one without any is left out."""
    return {row[0]: row[1] for row in connection.execute(_GONE)}


def is_empty(connection: sa.Connection) -> bool:
    """Whether neither a provider nor the CRM was read yet, and no connection is stored."""
    columns = (t.ProviderAccount.id, t.Account.id, t.StoredConnection.target)
    return all(connection.scalar(sa.select(column).limit(1)) is None for column in columns)


_COLUMNS = tuple(ProviderRow.__dataclass_fields__)
_ALL = sa.select(*(getattr(t.Provider, name) for name in _COLUMNS)).order_by(t.Provider.id)
_OF_ID = _ALL.where(t.Provider.id == sa.bindparam("of_id"))
_OF_NAME = _ALL.where(t.Provider.name == sa.bindparam("of_name"))
_GONE = (
    sa.select(t.ProviderAccount.provider_id, sa.func.count())
    .where(t.ProviderAccount.gone_at.is_not(None))
    .group_by(t.ProviderAccount.provider_id)
)


def _row(row: sa.Row[*tuple[Any, ...]]) -> ProviderRow:
    provider_id, name, kind, *rest = row
    return ProviderRow(provider_id, name, ProviderKind(kind), *rest)
