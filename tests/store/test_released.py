"""The database of every released version is opened, and work in it goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from fresh_stores import empty_out, migrated
from service.fakes import ANALYST, FakePortal, account_id_of, id_of, make_service, pages_of, rows_of, sync
from service.undo_steps import check_derived
from store.released_databases import KEPT, LISTED, copy_rows, crm, unpack

from w365 import __version__
from w365.model import RunState
from w365.service.deciding import mapping
from w365.service.reading import records
from w365.store import tables as t
from w365.store.db import migrate as migration
from w365.store.db.engine import Store, open_store
from w365.store.db.migrate import migrate

BEFORE_THE_FIRST = "0.1.0"
VERSIONS = sorted(KEPT)
_STAMP = sa.table("alembic_version", sa.column("version_num")).c.version_num


def check_goes_on(store: Store, home: Path) -> None:
    """What was decided holds, and a sync, a match and a decision are done in it."""
    service = make_service(store, home, portal=FakePortal(pages_of(LISTED)), crm=crm())
    assert dict(rows_of(store, t.Worklist.specific_id, t.Worklist.status)) == {
        "p1": "mapped",
        "p2": "mapped",
        "p3": "excluded",
        "p4": "parked",
        "p5": "unmapped",
        "p6": "unmapped",
    }
    assert sync(service).state is RunState.DONE
    row = id_of(store, "p5")
    mapping.assign_account(service, ANALYST, row, account_id_of(store, "b2"), seen=0)
    record = records.read_record(service, ANALYST, row)
    assert [(one.actor, one.account) for one in record.history if one.account] == [("ben", "Account b2")]
    check_derived(store)


def contents(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table but the stamp."""
    tables = sa.MetaData()
    with store.read() as connection:
        tables.reflect(connection)
        return {
            name: sorted((tuple(row) for row in connection.execute(sa.select(table))), key=repr)
            for name, table in tables.tables.items()
            if name != "alembic_version"
        }


def schema(store: Store) -> list[Any]:
    """Columns, constraints and indexes; how a statement is laid out and in which order it names constraints aside."""
    queries = (
        "SELECT t.name, x.* FROM sqlite_master t, pragma_table_xinfo(t.name) x WHERE t.type = 'table'",
        (
            "SELECT t.name, x.'from', x.'table', x.'to', on_update, on_delete"
            " FROM sqlite_master t, pragma_foreign_key_list(t.name) x WHERE t.type = 'table'"
        ),
        (
            "SELECT t.name, x.name, x.'unique', x.origin, x.partial"
            " FROM sqlite_master t, pragma_index_list(t.name) x WHERE t.type = 'table'"
        ),
        "SELECT t.name, x.* FROM sqlite_master t, pragma_index_xinfo(t.name) x WHERE t.type = 'index'",
        "SELECT name, sql FROM sqlite_master WHERE type <> 'table'",
        (
            "SELECT name, instr(sql, 'WITHOUT ROWID') > 0, substr(sql, nullif(instr(sql, 'GENERATED'), 0), 200)"
            " FROM sqlite_master WHERE type = 'table'"
        ),
    )
    with store.read() as connection:
        return [sorted(map(repr, connection.exec_driver_sql(query))) for query in queries]


def test_a_database_is_kept_of_every_schema_that_was_released() -> None:
    revisions = set(migration.known_schemas())
    to_come = {migration.newest_schema()} - {__version__}
    assert revisions - to_come <= set(VERSIONS)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_database_of_each_released_version_is_opened(version: str, tmp_path: Path, home: Path) -> None:
    store = unpack(version, tmp_path / "w365.db")
    migrate(store)
    check_goes_on(store, home)
    store.close()


@pytest.mark.postgres
@pytest.mark.parametrize("version", VERSIONS)
def test_the_database_of_each_released_version_is_opened_on_postgresql(
    version: str, fresh_postgres: Store, tmp_path: Path, home: Path
) -> None:
    kept = unpack(version, tmp_path / "w365.db")
    ((revision,),) = rows_of(kept, _STAMP)
    empty_out(fresh_postgres)
    with fresh_postgres.write() as connection:
        config = migration._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "1.0.0" if version == BEFORE_THE_FIRST else revision)
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :stamp"), {"stamp": revision})
    copy_rows(kept, fresh_postgres)
    kept.close()
    migrate(fresh_postgres)
    check_goes_on(fresh_postgres, home)


def test_the_last_schema_before_the_first_release_is_taken_over_as_it_is(tmp_path: Path) -> None:
    path, anew = tmp_path / "w365.db", tmp_path / "anew.db"
    store = unpack(BEFORE_THE_FIRST, path)
    before = contents(store)
    migrate(store)
    after = contents(store)
    # Accounts are read once more for what their fields may mean.
    assert after["crm_delta"] == [link for link in before.pop("crm_delta") if link[0] != "accounts"]
    before.pop("touched")
    assert {row[0] for row in after["touched"]} == {row[0] for row in after["provider_account"]}
    for table, rows in before.items():  # columns that came since stand behind those of then
        assert [row[: len(old)] for row, old in zip(after[table], rows, strict=True)] == rows, table
    anew.write_bytes(migrated())
    fresh = open_store(f"sqlite:///{anew}")
    assert schema(store) == schema(fresh)
    assert [copy.name for copy in tmp_path.glob("*.before-*")] == ["w365.before-1.0.0.db"]
    store.close()
    fresh.close()
