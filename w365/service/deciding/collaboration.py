"""What people say to each other about a row: notes, and who takes care of it. Neither is a decision about a mapping."""

from __future__ import annotations

from w365.errors import InputError, StaleEdit
from w365.model import Actor, Role
from w365.service import Service
from w365.service.access import needs
from w365.store.configuring.settings import read_policy
from w365.store.deciding import collaboration
from w365.store.deciding.collaboration import NoteView
from w365.store.deciding.decisions import Who

LONGEST_NOTE = 2_000
LONGEST_OWNER = 100


@needs(Role.ANALYST)
def add_note(service: Service, actor: Actor, row: int, text: str) -> None:
    """Append a note. Notes are never changed, and a sync leaves them alone."""
    kept = text.replace("\0", "").strip()
    if not kept:
        raise InputError("The note is empty.", kept="Nothing was saved.", do="Write something.")
    if len(kept) > LONGEST_NOTE:
        raise InputError(
            f"A note may have {LONGEST_NOTE:,} characters; this one has {len(kept):,}.",
            kept="Nothing was saved.",
            do="Shorten it.",
        )
    with service.store.write() as connection:
        collaboration.add_note(connection, Who(actor.name, service.clock()), row, kept)


@needs(Role.ANALYST)
def set_owner(service: Service, actor: Actor, row: int, owner: str, *, seen: str | None = None) -> bool:
    """Give a row to a person, or to nobody; False when it was theirs already.

    `seen` is the owner that the person looked at (None: whoever has it). Raises StaleEdit where it is another by now.
    """
    name = check_owner(owner)
    with service.store.write() as connection:
        old = collaboration.get_owner(connection, row)
        if old == name:
            return False
        _check_seen(old, seen)
        who = Who(actor.name, service.clock())
        collaboration.put_owner(connection, read_policy(connection), who, row, old=old, owner=name)
    return True


def _check_seen(owner: str, seen: str | None) -> None:
    if seen is not None and owner != seen:
        raise StaleEdit(
            f"This row was given to {owner or 'nobody'} after you had opened it.",
            kept="That was kept; yours was not saved.",
            do="Look at the row as it is now and choose again.",
        )


def check_owner(owner: str) -> str:
    """Return the name as it is kept, "" for nobody; InputError for one that cannot be."""
    name = " ".join(owner.replace("\0", "").split())
    if len(name) > LONGEST_OWNER:
        raise InputError(f"A name may have {LONGEST_OWNER} characters.", kept="Nothing was changed.", do="Shorten it.")
    if name.startswith("*"):
        raise InputError("A name does not begin with an asterisk.", kept="Nothing was changed.", do="Correct it.")
    return name


@needs(Role.VIEWER)
def list_notes(service: Service, actor: Actor, row: int) -> list[NoteView]:
    """List notes and changes of the owner, the latest first."""
    with service.store.read() as connection:
        return collaboration.list_notes(connection, row)


@needs(Role.VIEWER)
def list_owners(service: Service, actor: Actor) -> dict[str, int]:
    """Everybody who owns rows, with how many."""
    with service.store.read() as connection:
        return collaboration.count_owned(connection)
