"""How far a table of the CRM was read: its change link, and what a full read did not meet."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import sqlalchemy as sa

from w365.store import tables as t
from w365.store.db.bulk_insert import upsert
from w365.store.runs import has_seen
from w365.store.syncing.crm_size import Table


@dataclass(frozen=True, slots=True)
class Unmet:
    """How many records of a table are known, and the CRM ids of those that a full read did not meet."""

    known: int
    missing: list[str]


def outcome_of(known: tuple[object, ...] | None, row: tuple[object, ...]) -> str:
    """The word under which a sync counts a record, after the name of its table."""
    if known is None:
        return "new"
    return "unchanged" if known == row else "changed"


def read_link(connection: sa.Connection, table: Table) -> str | None:
    """Read where the next read of the table starts; None where it is to be read whole."""
    return connection.scalar(_LINK, {"of_table": table})


def keep_link(connection: sa.Connection, table: Table, link: str | None) -> None:
    """Keep the link that a page brought, if it did."""
    if link:
        upsert(connection, t.CrmDelta, ("table_name", "link"), [(table, link)])


def forget_met(connection: sa.Connection, table: Table, run_id: int) -> None:
    """Begin a full read anew: what an earlier one met may have gone since."""
    connection.execute(sa.delete(t.RunSeen).where(t.RunSeen.run_id == run_id, t.RunSeen.subject == table))


def read_unmet(connection: sa.Connection, table: Table, run_id: int) -> Unmet:
    """Compare what is known of a table with what the run met; deleted accounts are left out of both."""
    count_known, select_missing = _comparing(table)
    return Unmet(connection.scalar(count_known) or 0, list(connection.scalars(select_missing, {"run": run_id})))


@functools.cache
def _comparing(name: Table) -> tuple[sa.Select[int], sa.Select[str]]:
    table = t.Account if name == "accounts" else t.Contact
    here = [~t.Account.is_deleted] if name == "accounts" else []
    known = sa.select(sa.func.count()).select_from(table).where(*here)
    return known, sa.select(table.crm_id).where(*here, ~has_seen(name, table.crm_id))


_LINK = sa.select(t.CrmDelta.link).where(t.CrmDelta.table_name == sa.bindparam("of_table"))
