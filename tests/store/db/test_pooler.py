"""Behind a real PgBouncer that hands each transaction to whichever server process is free."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from w365.model import Actor, Role
from w365.store.configuring.settings import put_settings, read_texts
from w365.store.db.engine import Store, open_store
from w365.store.db.migrate import migrate
from w365.store.runs import now

pytestmark = pytest.mark.postgres
PROGRAM = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
SECONDS = 20
ADMIN = Actor("ada", Role.ADMIN)
_CONFIGURATION = """
[databases]
pooled = {server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
ignore_startup_parameters = extra_float_digits
"""


@pytest.fixture
def pooled(fresh_postgres: Store, tmp_path: Path) -> Iterator[Store]:
    """A migrated database, reached through a pooler with two connections."""
    if PROGRAM is None:
        pytest.skip("PgBouncer is not installed")
    migrate(fresh_postgres)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = fresh_postgres.engine.url
    host = url.host or str(url.query.get("host", ""))
    server = f"host={host} port={url.port or 5432} dbname={url.database} user={url.username}"
    (tmp_path / "pgbouncer.ini").write_text(_CONFIGURATION.format(server=server, port=port))
    is_root = os.geteuid() == 0
    if is_root:  # it does not run as root
        for folder in (tmp_path, *tmp_path.parents):
            if "pytest" in str(folder):
                folder.chmod(0o755)
    # As the user who runs the server, to whom its socket is open.
    owner = pwd.getpwuid(Path(host).stat().st_uid).pw_name
    command = [PROGRAM, *(("-u", owner) if is_root else ()), str(tmp_path / "pgbouncer.ini")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port)
            with closing(open_store(f"postgresql://{url.username}@127.0.0.1:{port}/pooled")) as store:
                yield store
        finally:
            process.terminate()


def _wait_for(port: int) -> None:
    until = time.monotonic() + SECONDS
    while True:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert time.monotonic() < until
        time.sleep(0.02)


def test_many_transactions_at_once_go_through_two_connections(pooled: Store) -> None:
    """A prepared statement would be there twice, or not, after a few of them."""

    def change(number: int) -> str:
        with pooled.write() as connection:
            put_settings(connection, ADMIN, now(), {"shared_threshold": str(number)})
        with pooled.read() as connection:
            return read_texts(connection)["shared_threshold"]

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(change, range(60)))
    assert set(answers) <= {str(number) for number in range(60)}


def test_without_a_pooler_statements_are_prepared(postgres_store: Store, pooled: Store) -> None:
    thresholds = []
    for store in (postgres_store, pooled):
        with store.engine.connect() as connection:
            connection.execute(sa.text("SELECT 1"))
            thresholds.append(connection.connection.driver_connection.prepare_threshold)  # type: ignore[union-attr]
    assert thresholds == [5, None]
