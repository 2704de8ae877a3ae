"""The counts that the database keeps are those of the rows, whatever is written how, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from counted import check_kept_counts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from w365.store import tables as t
from w365.store.db.bulk_insert import write_differing
from w365.store.db.engine import Store

FACETS: dict[str, st.SearchStrategy[Any]] = {
    "provider_id": st.integers(1, 2),
    "account_id": st.none() | st.just(7),
    "disposition": st.sampled_from(("open", "parked", "excluded")),
    "proposal": st.sampled_from(("none", "conflict")),
    "reason": st.sampled_from(("no_domain", "no_account")),
    "owner": st.sampled_from(("", "ana")),
    "is_gone": st.booleans(),
    "seats": st.sampled_from((0, 5, 2_000_000_000)),
    "subscriptions": st.integers(0, 2),
    "version": st.integers(0, 3),
}
REST = {"specific_id": "x", "name_key": "x", "domain_key": "", "account_key": "", "drift": ""}
ROWS = st.dictionaries(st.integers(1, 6), st.fixed_dictionaries(FACETS), min_size=1, max_size=6)
CHANGES = st.sampled_from(list(FACETS)).flatmap(lambda name: st.tuples(st.just(name), FACETS[name]))
WRITES = st.lists(
    st.tuples(st.just("put"), ROWS) | st.tuples(st.just("set"), CHANGES) | st.tuples(st.just("drop"), ROWS)
)


def write(connection: sa.Connection, how: str, what: Any) -> None:
    """Put rows as `refresh_derived` does, set a column of all rows, or drop rows."""
    work = t.Worklist
    if how == "set":
        connection.execute(sa.update(work).values(dict([what])))
    elif how == "drop":
        connection.execute(sa.delete(work).where(work.provider_account_id.in_(what)))
    else:
        columns = ["provider_account_id", *FACETS, *REST]
        rows = [{"provider_account_id": number, **facets, **REST} for number, facets in what.items()]
        types = [work.__table__.c[name].type for name in columns]
        selected = sa.union_all(
            *(
                sa.select(*(sa.literal(row[name], kind) for name, kind in zip(columns, types, strict=True)))
                for row in rows
            )
        ).subquery()
        connection.execute(write_differing(connection.dialect.name, work, columns, sa.select(selected)))


def check(store: Store, writes: list[tuple[str, Any]]) -> None:
    with store.engine.connect() as plain:
        connection = plain.execution_options(w365_write=True)
        with connection.begin() as transaction:
            connection.execute(sa.delete(t.Worklist))
            for how, what in writes:
                write(connection, how, what)
                check_kept_counts(connection)
            transaction.rollback()


AT_EASE = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@AT_EASE
@given(WRITES)
def test_kept_counts_are_a_recount_on_sqlite(store: Store, writes: list[tuple[str, Any]]) -> None:
    check(store, writes)


@pytest.mark.postgres
@AT_EASE
@given(WRITES)
def test_kept_counts_are_a_recount_on_postgresql(postgres_store: Store, writes: list[tuple[str, Any]]) -> None:
    check(postgres_store, writes)
