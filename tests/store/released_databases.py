"""A small database of each released version, and how this one makes its own (CONTRIBUTING.md says when)."""

from __future__ import annotations

import datetime as dt
import lzma
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa
from service.fakes import (
    ADMIN,
    ANALYST,
    FakeCrm,
    FakePortal,
    account,
    account_id_of,
    contact,
    crm_sync,
    customer,
    id_of,
    make_service,
    pages_of,
    rows_of,
    subscription,
    sync,
    without_guards,
)

from w365 import __version__
from w365.service import Service
from w365.service.configuring import settings
from w365.service.deciding import collaboration, mapping
from w365.store import tables as t
from w365.store.db.engine import Store, open_store
from w365.store.db.migrate import migrate

FOLDER = Path(__file__).parent / "released"
KEPT = {path.name.removesuffix(".db.xz"): path for path in FOLDER.glob("*.db.xz")}
LISTED = [customer(f"p{n}", f"p{n}.com", subscriptions=(subscription(n, n),)) for n in range(1, 7)]


def crm() -> FakeCrm:
    """One account for p1 and p6, two for p2, none for the others."""
    made = FakeCrm()
    made.put(account("a1"), contact("c1", "a1", "p1.com"), account("a6", website="p6.com"))
    made.put(account("a2", website="p2.com"), account("b2", website="p2.com"))
    return made


def furnish(service: Service) -> None:
    """Let a match map, and people decide in every way: p2 is mapped, p3 excluded, p4 parked, and p6 was unmapped."""
    without_guards(service)
    settings.set_setting(service, ADMIN, "auto_match", "true")
    crm_sync(service)
    sync(service)
    row = {one.specific_id: id_of(service.store, one.specific_id) for one in LISTED}
    mapping.assign_account(service, ANALYST, row["p2"], account_id_of(service.store, "a2"), seen=0)
    mapping.exclude_row(service, ANALYST, row["p3"], seen=0, reason="test tenant")
    until = service.clock().date() + dt.timedelta(days=30)
    mapping.park_row(service, ANALYST, row["p4"], seen=0, reason="waits", until=until)
    ((seen,),) = rows_of(service.store, t.Worklist.version, where=t.Worklist.specific_id == "p6")
    mapping.clear_mapping(service, ANALYST, row["p6"], seen=seen, reason="wrong")
    collaboration.add_note(service, ANALYST, row["p5"], "They were asked.")
    collaboration.set_owner(service, ANALYST, row["p5"], "ben")


def unpack(version: str, path: Path) -> Store:
    """Put the database that is kept of a version at a path, as it left it."""
    path.write_bytes(lzma.decompress(KEPT[version].read_bytes()))
    return open_store(f"sqlite:///{path}")


def copy_rows(source: Store, target: Store) -> None:
    """Copy the rows of a SQLite database to one on PostgreSQL with the same tables, which are empty."""
    with source.read() as reading, target.write() as writing:
        tables = sa.MetaData()
        tables.reflect(writing)
        for table in tables.sorted_tables:
            columns = [column for column in table.c if column.computed is None]
            rows = reading.execute(sa.select(*columns)).mappings().all() if table.name != "alembic_version" else []
            if rows:
                writing.execute(sa.insert(table), [dict(row) for row in rows])
            if "id" in table.c and table.c.id.server_default is not None:
                writing.exec_driver_sql(
                    f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), max(id)) FROM {table.name}"
                )


def make(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as home:
        path = Path(home) / "w365.db"
        store = open_store(f"sqlite:///{path}")
        migrate(store)
        furnish(make_service(store, Path(home) / "home", portal=FakePortal(pages_of(LISTED)), crm=crm()))
        store.close()
        with closing(sqlite3.connect(path)) as raw:
            raw.execute("VACUUM")
        (folder / f"{__version__}.db.xz").write_bytes(lzma.compress(path.read_bytes(), preset=9))


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
