"""The same customer is looked up by an index, from either side, and not among all customers."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from w365.store import tables as t
from w365.store.db.engine import Store
from w365.store.matching.relations import MINE, THEIRS, same_customers


@pytest.mark.parametrize("side", [MINE, THEIRS])
@pytest.mark.parametrize("place", [0, 1], ids=["by tenant", "by domain"])
def test_no_table_is_read_from_end_to_end(store: Store, side: type[t.ProviderAccount], place: int) -> None:
    pairs = same_customers()[place].where(side.id.in_([1, 2]))
    with store.read() as connection:
        sql = str(pairs.compile(connection, compile_kwargs={"literal_binds": True}))
        plan = [str(row.detail) for row in connection.execute(sa.text(f"EXPLAIN QUERY PLAN {sql}"))]
    assert plan
    assert not [step for step in plan if step.startswith("SCAN")]
