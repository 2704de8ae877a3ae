"""New databases are made, our own are brought up to date, and whatever else is at the path is left alone."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from fresh_stores import migrated

from w365.errors import StoreError, W365Error
from w365.store.db import migrate as migration
from w365.store.db.engine import Store, open_store
from w365.store.db.migrate import migrate
from w365.store.reading.spelling import words_meant
from w365.store.syncing.crm_size import size_of
from w365.store.tables import Base


def store_at(path: Path) -> Store:
    return open_store(f"sqlite:///{path}")


def refused(path: Path) -> str:
    """What is said when the file at the path is refused; the file must stay as it was."""
    before = path.read_bytes()
    store = store_at(path)
    with pytest.raises(StoreError) as caught:
        migrate(store)
    store.close()
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir() if one.suffix not in (".db-wal", ".db-shm")] == [path.name]
    return str(caught.value)


def test_a_new_database_gets_all_tables_and_a_second_time_changes_nothing(tmp_path: Path) -> None:
    store = store_at(tmp_path / "data" / "w365.db")
    revision = migrate(store)
    with store.read() as connection:
        assert set(sa.inspect(connection).get_table_names()) == {*Base.metadata.tables, "alembic_version"}
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
        version = connection.exec_driver_sql("PRAGMA schema_version").scalar()
    assert migrate(store) == revision
    with store.read() as connection:
        assert connection.exec_driver_sql("PRAGMA schema_version").scalar() == version
    store.close()


def test_the_data_folder_is_its_owners_alone(tmp_path: Path) -> None:
    store = store_at(tmp_path / "data" / "w365.db")
    migrate(store)
    store.close()
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0


_PARTIAL = (
    "uq_run_active",
    "tenant_guid",
    "ix_worklist_drift",
    "ix_worklist_owner",
    "ix_worklist_ready",
    "ix_subscription_ended",
    "ix_account_here",
    "ix_candidate_best",
    "ix_decision_returned",
    "ix_provider_account_unsynced",
    "ix_provider_account_gone_at",
    "ix_provider_account_changed_at",
)


def differences(store: Store) -> list[object]:
    with store.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": False})
        found = compare_metadata(context, Base.metadata)
    # Alembic cannot read an index on part of a table back from SQLite.
    return [one for one in found if not any(name in repr(one) for name in _PARTIAL)]


def test_the_migrations_lead_to_the_tables_of_the_code(tmp_path: Path) -> None:
    (tmp_path / "w365.db").write_bytes(migrated())
    store = store_at(tmp_path / "w365.db")
    assert differences(store) == []
    store.close()


@pytest.mark.postgres
def test_the_migrations_lead_to_the_tables_of_the_code_on_postgresql(fresh_postgres: Store) -> None:
    assert differences(fresh_postgres) == []
    assert migrate(fresh_postgres) == migrate(fresh_postgres)


@pytest.mark.postgres
def test_a_foreign_postgresql_database_is_refused(fresh_postgres: Store) -> None:
    with fresh_postgres.write() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")
    with pytest.raises(StoreError, match="holds tables of another program"):
        migrate(fresh_postgres)


def test_a_database_of_a_newer_version_is_refused_and_untouched(tmp_path: Path) -> None:
    path = tmp_path / "w365.db"
    path.write_bytes(migrated())
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    assert refused(path) == (
        "The database was written by a newer version of this program. It was left as it is. Update the program."
    )


def test_a_database_of_another_program_is_refused_and_untouched(tmp_path: Path) -> None:
    path = tmp_path / "w365.db"
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("CREATE TABLE songs (title)")
    assert refused(path).startswith("The database holds tables of another program. It was left as it is.")


def test_a_file_that_is_no_database_is_refused_and_never_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "w365.db"
    path.write_text("Dear diary, today was a good day. " * 100, encoding="ascii")
    assert refused(path).startswith("The file at the database's path is not a W365 database.")


def test_a_damaged_database_is_refused_and_never_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "w365.db"
    content = bytearray(migrated())
    content[100:4096] = b"\xff" * 3996  # the first page holds the list of tables
    path.write_bytes(content)
    assert "damaged" in refused(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(W365Error, match="cannot be"):
        migrate(store_at(tmp_path / "w365.db"))


def test_a_path_that_cannot_hold_a_database_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="ascii")
    with pytest.raises(W365Error, match="cannot be"):
        migrate(store_at(tmp_path / "file" / "w365.db"))
    (tmp_path / "folder.db").mkdir()
    with pytest.raises(W365Error, match="cannot be opened"):
        migrate(store_at(tmp_path / "folder.db"))


FIRST_RELEASE = (
    "INSERT INTO provider (id, name, kind, verified_as) VALUES (1, 'P', 'manual', '')",
    (
        "INSERT INTO account (id, crm_id, name, name_key, number, website, email_domain, website_domain, city, country,"
        " tenant_guid, is_active) VALUES (1, 'a', 'A', 'a', '', '', '', '', '', '', '', true)"
    ),
    *(
        "INSERT INTO provider_account (id, provider_id, specific_id, name, name_key, default_domain, main_domain,"
        " domain_source, tenant_guid, country, relationship, note, first_seen_at)"
        f" VALUES ({n}, 1, 'p{n}', 'P', 'p', '', '', '', '', '', '', '', '2026-01-01 00:00:00')"
        for n in range(1, 5)
    ),
    *(
        "INSERT INTO decision (id, at, actor, provider_account_id, kind, origin, reason)"
        f" VALUES ({n}, '2026-01-01 00:00:00', 'ada', {n}, 'map', '', '')"
        for n in range(1, 4)
    ),
    "INSERT INTO decision_evidence VALUES (3, 'contact_domain', 'one.com', 1, 'c')",
    "INSERT INTO mapping VALUES (1, 1, 'auto', 1), (2, 1, 'manual', 2), (3, 1, 'manual', 3)",
    "INSERT INTO touched VALUES (1)",
    "INSERT INTO word VALUES ('a', 'a1', 1), ('a', 'contoso', 1), ('a', 'contoso.com', 1), ('p', 'fabrikam', 1)",
)
"""An automatic mapping, one by hand, one by hand with evidence, and a row without any."""


def at_first_release(store: Store) -> None:
    store.keep_wal()
    with store.write() as connection:
        config = migration._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for statement in FIRST_RELEASE:
            connection.exec_driver_sql(statement)


def check_brought_up_to_date(store: Store) -> None:
    """Every mapping is looked at again; one by hand that had no evidence is taken as meant. Words can be mistyped."""
    at_first_release(store)
    migrate(store)
    with store.read() as connection:
        kept = connection.exec_driver_sql("SELECT provider_account_id, against_evidence FROM mapping ORDER BY 1")
        assert [(row[0], bool(row[1])) for row in kept] == [(1, False), (2, True), (3, False)]
        looked_at = connection.exec_driver_sql("SELECT provider_account_id FROM touched ORDER BY 1")
        assert [row[0] for row in looked_at] == [1, 2, 3]
        assert words_meant(connection, "contsoo") == ["contoso"]
        assert connection.exec_driver_sql("SELECT count(*) FROM spelling").scalar() == 1
        assert (size_of(connection, "accounts"), size_of(connection, "contacts")) == (1, 0)
    assert differences(store) == []


def test_a_database_of_the_first_release_is_brought_up_to_date(tmp_path: Path) -> None:
    store = store_at(tmp_path / "w365.db")
    check_brought_up_to_date(store)
    assert (tmp_path / "w365.before-0001.db").exists()
    store.close()


@pytest.mark.postgres
def test_a_postgresql_database_of_the_first_release_is_brought_up_to_date(fresh_postgres: Store) -> None:
    with fresh_postgres.write() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    check_brought_up_to_date(fresh_postgres)


def test_a_database_is_copied_before_its_schema_changes(tmp_path: Path) -> None:
    path = tmp_path / "w365.db"
    path.write_bytes(migrated())
    store = store_at(path)
    with store.write() as connection:
        connection.exec_driver_sql("INSERT INTO setting VALUES ('auto_match', 'true')")
        migration._back_up(store, "0000")
        connection.exec_driver_sql("DELETE FROM setting")
    store.close()
    with closing(sqlite3.connect(tmp_path / "w365.before-0000.db")) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert copy.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)


def test_where_no_copy_can_be_made_nothing_is_migrated(tmp_path: Path) -> None:
    path = tmp_path / "w365.db"
    path.write_bytes(migrated())
    (tmp_path / "w365.before-0000.db").mkdir()
    store = store_at(path)
    with pytest.raises(StoreError, match=r"could not be copied to .*It was left as it is"):
        migration._back_up(store, "0000")
    store.close()


def test_two_that_start_at_once_make_one_database(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    stores = [store_at(tmp_path / "w365.db") for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        assert len(set(pool.map(migrate, stores))) == 1
    for store in stores:
        store.close()
