"""The order in which what candidates depend on changed, as one number that grows with every change.

A candidate carries the number up to which its index had read. Whoever asks for new candidates gets a larger one, so
that what is asked for while candidates are being made is not taken for done.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import sqlalchemy as sa

from w365.store import tables as t
from w365.store.db.bound_ids import IDS
from w365.store.db.bulk_insert import chunks, upsert_into

_ONLY = 1


def version_now(connection: sa.Connection) -> int:
    return connection.scalar(_NUMBER) or 0


_NUMBER = sa.select(t.Version.number)


def next_version(connection: sa.Connection) -> int:
    """Count one change more; the caller's transaction writes, so that numbers are in the order of commits."""
    return int(connection.execute(_counting(connection.dialect.name)).scalar_one())


@functools.cache
def _counting(dialect: str) -> sa.Insert:
    new = upsert_into(dialect, t.Version.__table__).values(id=_ONLY, number=1)
    counted = new.on_conflict_do_update(index_elements=["id"], set_={"number": t.Version.number + 1})
    return counted.returning(t.Version.number)


def note_accounts(connection: sa.Connection, account_ids: Sequence[int]) -> None:
    """Remember that these CRM accounts or their domains changed."""
    version, noting = next_version(connection), _noting(connection.dialect.name)
    for part in chunks(account_ids):
        connection.execute(noting, {"ids": part, "now": version})


def note_all_accounts(connection: sa.Connection) -> None:
    """Remember that the domains of all CRM accounts may have changed."""
    version = sa.bindparam("now", type_=t.Id)
    rows = sa.select(t.Account.id, version).where(sa.true())
    insert = upsert_into(connection.dialect.name, t.AccountVersion.__table__)
    noting = insert.from_select(["account_id", "version"], rows)
    noting = noting.on_conflict_do_update(index_elements=["account_id"], set_={"version": version})
    connection.execute(noting, {"now": next_version(connection)})


@functools.cache
def _noting(dialect: str) -> sa.Insert:
    version = sa.bindparam("now", type_=t.Id)
    rows = sa.select(t.Account.id, version).where(t.Account.id.in_(IDS))
    insert = upsert_into(dialect, t.AccountVersion.__table__).from_select(["account_id", "version"], rows)
    return insert.on_conflict_do_update(index_elements=["account_id"], set_={"version": version})


def accounts_since(connection: sa.Connection, version: int) -> list[int]:
    table = t.AccountVersion
    return list(
        connection.scalars(sa.select(table.account_id).where(table.version > version).order_by(table.account_id))
    )
