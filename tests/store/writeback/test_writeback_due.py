"""What is due to be written to the CRM's own table, by what is mapped and what was written there."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from service.undo_steps import world

from w365.store import tables as t
from w365.store.db.engine import Store
from w365.store.writeback.due_mappings import WriteState, Written, has_due, put_written, read_due


def test_what_is_mapped_and_not_yet_written_in_this_table_is_due_and_nothing_else(store: Store, home: Path) -> None:
    at = world(store, home).clock()
    with store.write() as connection:
        due = read_due(connection, "here", at)
        assert {one.provider_account_id for one in due} == set(
            connection.scalars(sa.select(t.Mapping.provider_account_id))
        )
        written = [Written(one.provider_account_id, one.account_id, WriteState.WRITTEN) for one in due]
        put_written(connection, "here", written)
        assert not has_due(connection, "here", at)
        assert has_due(connection, "elsewhere", at)
