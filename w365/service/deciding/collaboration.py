"""What people say to each other about a row: notes, and who takes care of it. Neither is a decision about a mapping."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from w365.errors import InputError, NotFound, StaleEdit
from w365.model import Actor, Role
from w365.service import Service
from w365.service.access import require
from w365.store import tables as t
from w365.store.configuring.settings import read_policy
from w365.store.matching import refresh_derived
from w365.store.matching.evidence import THOSE
from w365.store.tables import Note, OwnerChange, Ownership

LONGEST_NOTE = 2_000
LONGEST_OWNER = 100
_MOST_NOTES = 200


@dataclass(frozen=True, slots=True)
class NoteView:
    """A note, or a change of the owner as a sentence (`is_owner_change`)."""

    at: dt.datetime
    actor: str
    text: str
    is_owner_change: bool = False


def add_note(service: Service, actor: Actor, row: int, text: str) -> None:
    """Append a note. Notes are never changed, and a sync leaves them alone."""
    require(actor, Role.ANALYST)
    kept = text.replace("\0", "").strip()
    if not kept:
        raise InputError("The note is empty.", kept="Nothing was saved.", do="Write something.")
    if len(kept) > LONGEST_NOTE:
        raise InputError(
            f"A note may have {LONGEST_NOTE:,} characters; this one has {len(kept):,}.",
            kept="Nothing was saved.",
            do="Shorten it.",
        )
    values = {"provider_account_id": row, "at": service.clock(), "actor": actor.name, "text": kept}
    with service.store.write() as connection:
        _check_row(connection, row)
        connection.execute(sa.insert(Note).values(values))


def set_owner(service: Service, actor: Actor, row: int, owner: str, *, seen: str | None = None) -> bool:
    """Give a row to a person, or to nobody; False when it was theirs already.

    `seen` is the owner that the person looked at (None: whoever has it). Raises StaleEdit where it is another by now.
    """
    require(actor, Role.ANALYST)
    name = check_owner(owner)
    with service.store.write() as connection:
        _check_row(connection, row)
        held = Ownership
        old = connection.scalar(sa.select(held.owner).where(held.provider_account_id == row)) or ""
        if old == name:
            return False
        if seen is not None and old != seen:
            raise StaleEdit(
                f"This row was given to {old or 'nobody'} after you had opened it.",
                kept="That was kept; yours was not saved.",
                do="Look at the row as it is now and choose again.",
            )
        connection.execute(sa.delete(held).where(held.provider_account_id == row))
        if name:
            connection.execute(sa.insert(held).values(provider_account_id=row, owner=name))
        values = {"provider_account_id": row, "at": service.clock(), "actor": actor.name}
        connection.execute(sa.insert(OwnerChange).values(**values, old_owner=old, owner=name))
        refresh_derived.refresh(connection, read_policy(connection), THOSE, {"ids": [row]})
    return True


def check_owner(owner: str) -> str:
    """Return the name as it is kept, "" for nobody; InputError for one that cannot be."""
    name = " ".join(owner.replace("\0", "").split())
    if len(name) > LONGEST_OWNER:
        raise InputError(f"A name may have {LONGEST_OWNER} characters.", kept="Nothing was changed.", do="Shorten it.")
    if name.startswith("*"):
        raise InputError("A name does not begin with an asterisk.", kept="Nothing was changed.", do="Correct it.")
    return name


def list_notes(service: Service, actor: Actor, row: int) -> list[NoteView]:
    """List notes and changes of the owner, the latest first."""
    require(actor, Role.VIEWER)
    note, change = Note, OwnerChange
    notes = sa.select(note.at, note.actor, note.text).where(note.provider_account_id == row)
    changes = sa.select(change.at, change.actor, change.old_owner, change.owner)
    changes = changes.where(change.provider_account_id == row)
    with service.store.read() as connection:
        found = [NoteView(*one) for one in connection.execute(notes.order_by(note.id.desc()).limit(_MOST_NOTES))]
        owners = connection.execute(changes.order_by(change.id.desc()).limit(_MOST_NOTES)).all()
    found += [NoteView(one.at, one.actor, _say_change(one.old_owner, one.owner), True) for one in owners]
    return sorted(found, key=lambda one: one.at, reverse=True)


def list_owners(service: Service, actor: Actor) -> dict[str, int]:
    """Everybody who owns rows, with how many."""
    require(actor, Role.VIEWER)
    held = Ownership.owner
    query = sa.select(held, sa.func.count()).group_by(held).order_by(held)
    with service.store.read() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


def _say_change(old: str, new: str) -> str:
    return f"Owner: {old or 'nobody'} → {new or 'nobody'}"


def _check_row(connection: sa.Connection, row: int) -> None:
    if connection.scalar(sa.select(t.ProviderAccount.id).where(t.ProviderAccount.id == row)) is None:
        raise NotFound("This provider account does not exist.", do="Reload the page.")
