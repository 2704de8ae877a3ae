"""New databases are made, our own are brought up to date, and whatever else is at the path is left alone."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from fresh_stores import empty_out, migrated

from w365.errors import StoreError, W365Error
from w365.store.db import migrate as migration
from w365.store.db.engine import Store, open_store
from w365.store.db.migrate import migrate
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


def test_the_schemas_are_those_that_alembic_knows() -> None:
    scripts = ScriptDirectory.from_config(migration._config())
    assert list(migration.known_schemas()) == [each.revision for each in scripts.walk_revisions()][::-1]
    assert migration.newest_schema() == scripts.get_current_head()


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


def differences(store: Store) -> list[object]:
    """Alembic cannot read an index on part of a table back from SQLite: `indexes` are compared as they are written."""
    with store.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": False})
        found = compare_metadata(context, Base.metadata)
    return [one for one in found if not (store.is_sqlite and one[0] in ("add_index", "remove_index"))]


def indexes(store: Store) -> set[tuple[str, str]]:
    """Give each index with its statement."""
    query = (
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        if store.is_sqlite
        else "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
    )
    with store.read() as connection:
        return {(name, " ".join(sql.split())) for name, sql in connection.exec_driver_sql(query)}


def make_tables_of_the_code(empty: Store) -> None:
    with empty.write() as connection:
        Base.metadata.create_all(connection)


def test_the_migrations_lead_to_the_tables_of_the_code(tmp_path: Path) -> None:
    (tmp_path / "w365.db").write_bytes(migrated())
    store, empty = store_at(tmp_path / "w365.db"), store_at(tmp_path / "empty.db")
    assert differences(store) == []
    make_tables_of_the_code(empty)
    assert indexes(store) == indexes(empty)
    store.close()
    empty.close()


@pytest.mark.postgres
def test_the_migrations_lead_to_the_tables_of_the_code_on_postgresql(fresh_postgres: Store) -> None:
    assert migrate(fresh_postgres) == migrate(fresh_postgres)
    assert differences(fresh_postgres) == []
    by_migration = indexes(fresh_postgres)
    empty_out(fresh_postgres)
    make_tables_of_the_code(fresh_postgres)
    assert by_migration == indexes(fresh_postgres)


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


@pytest.mark.parametrize("revision", ["0001", "0016"])
def test_a_database_of_an_older_schema_is_told_which_version_opens_it(tmp_path: Path, revision: str) -> None:
    path = tmp_path / "w365.db"
    path.write_bytes(migrated())
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("UPDATE alembic_version SET version_num = ?", [revision])
    assert refused(path) == (
        f"The database has a schema ({revision}) that this version of the program does not know any more. "
        "It was left as it is. Open it with version 0.1.0 first, then with this one."
    )


def test_a_database_is_copied_before_its_schema_changes(tmp_path: Path) -> None:
    path = tmp_path / "w365.db"
    path.write_bytes(migrated())
    store = store_at(path)
    with store.write() as connection:
        connection.exec_driver_sql("INSERT INTO setting VALUES ('auto_match', 'true')")
        migration._bring_to(store, connection, "1.0.0", "1.1.0")
        connection.exec_driver_sql("DELETE FROM setting")
    store.close()
    with closing(sqlite3.connect(tmp_path / "w365.before-1.0.0.db")) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert copy.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)


def test_where_no_copy_can_be_made_nothing_is_migrated(tmp_path: Path) -> None:
    path = tmp_path / "w365.db"
    path.write_bytes(migrated())
    (tmp_path / "w365.before-1.0.0.db").mkdir()
    store = store_at(path)
    refusal = pytest.raises(StoreError, match=r"could not be copied to .*It was left as it is")
    with refusal, store.write() as connection:
        migration._bring_to(store, connection, "1.0.0", "1.1.0")
    store.close()


def test_two_that_start_at_once_make_one_database(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    stores = [store_at(tmp_path / "w365.db") for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        assert len(set(pool.map(migrate, stores))) == 1
    for store in stores:
        store.close()
