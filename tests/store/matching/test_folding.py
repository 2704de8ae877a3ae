"""Folding the domains of all accounts anew, while people look at evidence."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from service.fakes import account

from w365.store import tables as t
from w365.store.db.engine import Store
from w365.store.matching.account_domains import fold_all
from w365.store.syncing.crm_accounts import store_account


@pytest.mark.parametrize("store_of", ["store", pytest.param("fresh_postgres", marks=pytest.mark.postgres)])
def test_who_reads_evidence_does_not_wait_until_it_is_made_anew(request: pytest.FixtureRequest, store_of: str) -> None:
    store: Store = request.getfixturevalue(store_of)
    with store.write() as connection:
        store_account(connection, account("a1", website="one.com"))
        indexes = sa.inspect(connection).get_indexes("account_domain")
    domains = sa.select(t.AccountDomain.domain)
    with store.write() as writing:
        fold_all(writing)
        with store.read() as reading:
            if not store.is_sqlite:
                reading.exec_driver_sql("SET LOCAL lock_timeout = 2000")
            assert list(reading.scalars(domains)) == ["one.com"]
        assert list(writing.scalars(domains)) == ["one.com"]
        assert sa.inspect(writing).get_indexes("account_domain") == indexes
