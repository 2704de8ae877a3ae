"""A database whose connections are all in use."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from w365.errors import StoreError
from w365.store.db.engine import Store


def test_whoever_comes_when_all_connections_are_in_use_is_told_to_try_again() -> None:
    engine = sa.create_engine("sqlite://", poolclass=sa.QueuePool, pool_size=1, max_overflow=0, pool_timeout=0.01)
    store = Store(engine)
    with store.read(), pytest.raises(StoreError, match=r"all connections to it are in use\. Nothing of this step"):
        store.read().__enter__()
    store.close()
