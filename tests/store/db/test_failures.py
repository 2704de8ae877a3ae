"""Each way in which a database can fail has its own sentence, on a real PostgreSQL where it can be made to fail so."""

from __future__ import annotations

import multiprocessing
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from w365.config import load_settings
from w365.errors import ConfigurationError, StoreError
from w365.store.db.engine import Store, open_store
from w365.store.db.migrate import migrate, newest_schema

LOCAL = "postgresql://u:hidden-word@127.0.0.1"


def sentence_of(url: str) -> str:
    """What is said when the database is opened; the password is in none of it."""
    store = open_store(url)
    with pytest.raises(StoreError) as caught:
        migrate(store)
    store.close()
    assert "hidden-word" not in f"{caught.value} {caught.value.detail}"
    assert caught.value.kept
    assert caught.value.do
    return str(caught.value)


def ask_server(url: str, *statements: str) -> None:
    server = open_store(url)
    with server.engine.connect() as connection:
        plain = connection.execution_options(isolation_level="AUTOCOMMIT")
        for statement in statements:
            plain.exec_driver_sql(statement)
    server.close()


def with_role(store: Store, name: str) -> str:
    return store.engine.url.set(username=name, password="hidden-word").render_as_string(hide_password=False)


@contextmanager
def role(store: Store, name: str, *statements: str) -> Iterator[str]:
    """A role of the server for one test; gives the database's address with it."""
    ask_server(store.url, f"CREATE ROLE {name} LOGIN PASSWORD 'another'", *statements)
    try:
        yield with_role(store, name)
    finally:
        ask_server(store.url, f"DROP OWNED BY {name} CASCADE", f"DROP ROLE {name}")


@pytest.fixture
def empty(fresh_postgres: Store) -> Store:
    """A database as a new PostgreSQL gives it: no tables, and nobody but its owner may make any."""
    ask_server(
        fresh_postgres.url,
        "DROP SCHEMA public CASCADE",
        "CREATE SCHEMA public",
        "GRANT USAGE ON SCHEMA public TO PUBLIC",
    )
    return fresh_postgres


# --- a real server ---


@pytest.mark.postgres
def test_a_database_that_is_not_there(fresh_postgres: Store) -> None:
    url = fresh_postgres.engine.url.set(database="nowhere").render_as_string(hide_password=False)
    assert "has no database of that name" in sentence_of(url)


@pytest.mark.postgres
def test_a_user_that_is_not_there(fresh_postgres: Store) -> None:
    assert "does not know the user" in sentence_of(with_role(fresh_postgres, "nobody"))


@pytest.mark.postgres
def test_a_wrong_password(fresh_postgres: Store) -> None:
    with role(fresh_postgres, "locked") as url, fresh_postgres.read() as connection:
        file = Path(connection.exec_driver_sql("SHOW hba_file").scalar_one())
        rules = file.read_text(encoding="utf-8")
        file.write_text(f"local all locked scram-sha-256\n{rules}", encoding="utf-8")
        try:
            ask_server(fresh_postgres.url, "SELECT pg_reload_conf()")
            assert "refuses the user or password" in sentence_of(url)
        finally:
            file.write_text(rules, encoding="utf-8")
            ask_server(fresh_postgres.url, "SELECT pg_reload_conf()")


@pytest.mark.postgres
def test_too_many_connections(fresh_postgres: Store) -> None:
    with role(fresh_postgres, "crowded", "ALTER ROLE crowded CONNECTION LIMIT 0") as url:
        assert "no connection left" in sentence_of(url)


@pytest.mark.postgres
def test_a_user_who_may_make_no_tables(empty: Store) -> None:
    with role(empty, "guest") as url:
        told = sentence_of(url)
    assert "lacks a privilege that is needed (permission denied for schema public)" in told
    assert "W365_DATABASE_SCHEMA" in told


@pytest.mark.postgres
def test_a_database_that_can_only_be_read(empty: Store) -> None:
    read_only = "ALTER ROLE reader SET default_transaction_read_only = on"
    with role(empty, "reader", "GRANT CREATE ON SCHEMA public TO reader", read_only) as url:
        assert "can only be read" in sentence_of(url)
        assert "can only be read" in sentence_of(f"{url}&target_session_attrs=read-write")


@pytest.mark.postgres
def test_a_connection_that_the_server_ends(fresh_postgres: Store) -> None:
    with pytest.raises(StoreError, match="is stopping or was restarted"), fresh_postgres.read() as connection:
        connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
    with fresh_postgres.read() as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1


@pytest.mark.postgres
def test_a_schema_of_ones_own_needs_no_right_on_public(empty: Store) -> None:
    database = empty.engine.url.database
    with role(empty, "tenant", f"GRANT CREATE ON DATABASE {database} TO tenant") as url:
        values = {
            "W365_DATABASE_URL": url,
            "W365_DATABASE_SCHEMA": "w365",
            "W365_DEMO": "off",
            "W365_SECRET_KEY": "k" * 20,
        }
        store = open_store(load_settings(values).database_url)
        assert migrate(store) == newest_schema()
        with store.read() as connection:
            schemas = connection.exec_driver_sql(
                "SELECT DISTINCT schemaname FROM pg_tables WHERE tableowner = 'tenant'"
            )
            assert schemas.scalars().all() == ["w365"]
        assert migrate(store) == newest_schema()
        store.close()


@pytest.mark.postgres
def test_of_several_that_start_on_an_empty_database_one_makes_the_tables(empty: Store) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert pool.map(open_and_migrate, [empty.url] * 4) == [newest_schema()] * 4


def open_and_migrate(url: str) -> str:
    store = open_store(url)
    try:
        return migrate(store)
    finally:
        store.close()


@pytest.mark.postgres
def test_the_short_scheme_is_understood(fresh_postgres: Store) -> None:
    store = open_store(fresh_postgres.url.replace("postgresql+psycopg://", "postgres://"))
    with store.read() as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1
    store.close()


# --- nobody, or somebody who speaks the beginning of the protocol ---


def test_a_name_that_leads_nowhere() -> None:
    assert "leads nowhere" in sentence_of("postgresql://u:hidden-word@no.such.host.invalid/w")


def test_a_port_where_nobody_listens() -> None:
    with socket.socket() as bound:  # and does not listen
        bound.bind(("127.0.0.1", 0))
        assert "Nothing answers" in sentence_of(f"{LOCAL}:{bound.getsockname()[1]}/w")


@pytest.mark.parametrize("wrong", ["?sslmode=nope", "?nope=1", "?port=99999"])
def test_an_option_that_does_not_exist(wrong: str) -> None:
    assert "is not understood" in sentence_of(f"{LOCAL}/w{wrong}")


@contextmanager
def answering(message: bytes) -> Iterator[int]:
    """A server without TLS that answers whoever begins with an error; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    visitor, _ = server.accept()
                except OSError:
                    return
                with visitor:
                    while len(asked := visitor.recv(4096)) == 8:  # for TLS, or for GSSAPI
                        visitor.sendall(b"N")
                    if asked:
                        visitor.sendall(message)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


def error(code: str, words: str) -> bytes:
    fields = b"".join(kind + text.encode() + b"\0" for kind, text in ((b"S", "FATAL"), (b"C", code), (b"M", words)))
    return b"E" + struct.pack("!I", len(fields) + 5) + fields + b"\0"


HBA = 'no pg_hba.conf entry for host "10.0.0.7", user "u", database "w"'


@pytest.mark.parametrize(
    ("code", "words", "sentence"),
    [
        ("57P03", "the database system is starting up", "is starting"),
        ("57P03", "the database system is shutting down", "is stopping"),
        ("57P03", "the database system is not yet accepting connections", "is starting"),
        ("53300", "sorry, too many clients already", "no connection left"),
        ("28000", f"{HBA}, no encryption", "does not admit this user without TLS"),
        ("28000", f"{HBA}, SSL encryption", "does not admit this user from this machine"),
        ("28P01", 'password authentication failed for user "u"', "refuses the user or password"),
        ("XX000", "something else", "cannot be reached"),
    ],
)
def test_what_a_server_says_instead_of_letting_in(code: str, words: str, sentence: str) -> None:
    with answering(error(code, words)) as port:
        assert sentence in sentence_of(f"{LOCAL}:{port}/w")


def test_a_server_without_tls_where_it_is_asked_for() -> None:
    with answering(b"") as port:
        assert "has no TLS" in sentence_of(f"{LOCAL}:{port}/w?sslmode=require")


@pytest.mark.parametrize(
    ("url", "schema"),
    [("sqlite:///x.db", "own"), ("postgresql://h/w", "a;b"), ("postgresql://h/w", "Own"), ("", "own")],
)
def test_a_schema_that_cannot_be_is_refused_at_the_start(url: str, schema: str) -> None:
    values = {"W365_DATABASE_URL": url, "W365_DATABASE_SCHEMA": schema, "W365_DEMO": "off", "W365_SECRET_KEY": "k" * 20}
    with pytest.raises(ConfigurationError, match="W365_DATABASE_SCHEMA"):
        load_settings(values)
