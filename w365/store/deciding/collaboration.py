"""What people say to each other about a row: notes, and who takes care of it. Of many rows at once: `owners`."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from w365.errors import NotFound
from w365.model import MatchPolicy
from w365.store import tables as t
from w365.store.deciding.decisions import Who
from w365.store.matching import refresh_derived
from w365.store.matching.evidence import THOSE

_MOST_NOTES = 200


@dataclass(frozen=True, slots=True)
class NoteView:
    """A note, or a change of the owner as a sentence (`is_owner_change`)."""

    at: dt.datetime
    actor: str
    text: str
    is_owner_change: bool = False


def add_note(connection: sa.Connection, who: Who, provider_account_id: int, text: str) -> None:
    """Append a note; NotFound where there is no such row."""
    _check_row(connection, provider_account_id)
    values = {"provider_account_id": provider_account_id, "at": who.at, "actor": who.name, "text": text}
    connection.execute(sa.insert(t.Note).values(values))


def list_notes(connection: sa.Connection, provider_account_id: int) -> list[NoteView]:
    """List notes and changes of the owner, the latest first; at most 200 of each."""
    note, change = t.Note, t.OwnerChange
    notes = sa.select(note.at, note.actor, note.text).where(note.provider_account_id == provider_account_id)
    changes = sa.select(change.at, change.actor, change.old_owner, change.owner)
    changes = changes.where(change.provider_account_id == provider_account_id)
    written = connection.execute(notes.order_by(note.id.desc()).limit(_MOST_NOTES))
    given = connection.execute(changes.order_by(change.id.desc()).limit(_MOST_NOTES))
    views = [
        *(NoteView(*row) for row in written),
        *(NoteView(row.at, row.actor, _say_change(row.old_owner, row.owner), is_owner_change=True) for row in given),
    ]
    return sorted(views, key=lambda view: view.at, reverse=True)


def get_owner(connection: sa.Connection, provider_account_id: int) -> str:
    """Read who owns a row, "" for nobody; NotFound where there is no such row."""
    _check_row(connection, provider_account_id)
    query = sa.select(t.Ownership.owner).where(t.Ownership.provider_account_id == provider_account_id)
    return connection.scalar(query) or ""


def put_owner(
    connection: sa.Connection, policy: MatchPolicy, who: Who, provider_account_id: int, *, old: str, owner: str
) -> None:
    """Give a row that `old` owns to somebody else, "" for nobody; its line of the grid says so at once."""
    held = t.Ownership
    connection.execute(sa.delete(held).where(held.provider_account_id == provider_account_id))
    if owner:
        connection.execute(sa.insert(held).values(provider_account_id=provider_account_id, owner=owner))
    values = {"provider_account_id": provider_account_id, "at": who.at, "actor": who.name}
    connection.execute(sa.insert(t.OwnerChange).values(**values, old_owner=old, owner=owner))
    refresh_derived.refresh_rows(connection, policy, THOSE, {"ids": [provider_account_id]})


def count_owned(connection: sa.Connection) -> dict[str, int]:
    """Count the rows of everybody who owns some."""
    owner = t.Ownership.owner
    query = sa.select(owner, sa.func.count().label("rows")).group_by(owner).order_by(owner)
    return {row.owner: row.rows for row in connection.execute(query)}


def _say_change(old: str, new: str) -> str:
    return f"Owner: {old or 'nobody'} → {new or 'nobody'}"


def _check_row(connection: sa.Connection, provider_account_id: int) -> None:
    query = sa.select(t.ProviderAccount.id).where(t.ProviderAccount.id == provider_account_id)
    if connection.scalar(query) is None:
        raise NotFound("This provider account does not exist.", do="Reload the page.")
