"""What can be told of a database without changing it: which it is, its schema, its clock, who else has it open."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from w365.store.db.engine import Store
from w365.store.db.migrate import revision_of


@dataclass(frozen=True, slots=True)
class Health:
    """``schema`` is None for a database without tables of ours. PostgreSQL alone knows ``clock`` and ``others``.

    ``clock`` is its time when it was asked, ``others`` the connections of anybody else to the database.
    """

    server: str
    place: str
    schema: str | None
    clock: dt.datetime | None = None
    others: int | None = None


_ASK = """
SELECT current_setting('server_version'), clock_timestamp(),
       (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid())
"""


def look_at(store: Store) -> Health:
    """Ask; StoreError where it does not answer."""
    place = store.engine.url
    with store.read() as connection:
        schema = revision_of(connection)
        if store.is_sqlite:
            version = connection.exec_driver_sql("SELECT sqlite_version()").scalar_one()
            return Health(f"SQLite {version}", str(place.database), schema)
        version, clock, others = connection.execute(sa.text(_ASK)).one()
    where = f"{place.host or 'this machine'}/{place.database}"
    return Health(f"PostgreSQL {version}", where, schema, clock, others)
