"""How much the CRM says, kept as a number: counting a million accounts and their contacts took a second a look."""

from __future__ import annotations

from typing import Literal

import sqlalchemy as sa

from w365.store.db.bulk_insert import upsert
from w365.store.tables import CrmSize

Table = Literal["accounts", "contacts"]


def grow_table(connection: sa.Connection, table: Table, by: int) -> None:
    """Note that this many records were added, or taken away if less than none, in the same transaction."""
    if by:
        upsert(connection, CrmSize, ("table_name", "records"), [(table, size_of(connection, table) + by)])


def size_of(connection: sa.Connection, table: Table) -> int:
    return connection.scalar(_RECORDS, {"of_table": table}) or 0


_RECORDS = sa.select(CrmSize.records).where(CrmSize.table_name == sa.bindparam("of_table"))
