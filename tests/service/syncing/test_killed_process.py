"""What was answered as saved is there after the process was killed, and nothing half-done beside it."""

from __future__ import annotations

import os
import signal
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
import sqlalchemy as sa
from fresh_stores import put_migrated
from processes import CONTEXT
from service.fakes import ANALYST, FakeCrm, FakePortal, account, crm_sync, customer, make_service, pages_of, sync

from w365.service.deciding import mapping
from w365.store import tables as t
from w365.store.db.engine import Store, open_store

WAITED_FOR = 20


def decide_until_killed(url: str, home: Path, answers: Connection) -> None:
    """Assign one row to two accounts in turn, and tell each decision after it was answered as saved."""
    service = make_service(open_store(url), home)
    with service.store.read() as connection:
        row = connection.scalar(sa.select(t.ProviderAccount.id))
        accounts = list(connection.scalars(sa.select(t.Account.id)))
    assert row is not None
    seen = 0
    while True:
        for one in accounts:
            seen = mapping.assign_account(service, ANALYST, row, one, seen=seen).decision_id
            answers.send(seen)


def told_before_kill(store: Store, home: Path) -> list[int]:
    ours, theirs = CONTEXT.Pipe(duplex=False)
    url = store.engine.url.render_as_string(hide_password=False)
    process = CONTEXT.Process(target=decide_until_killed, args=(url, home, theirs))
    process.start()
    theirs.close()
    told = [ours.recv() for _ in range(WAITED_FOR)]
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    try:
        while True:
            told.append(ours.recv())
    except EOFError:
        return told
    finally:
        ours.close()
        process.close()


def check_that_a_told_decision_is_there(store: Store, home: Path) -> None:
    crm = FakeCrm()
    crm.put(account("a1"), account("a2"))
    service = make_service(store, home, portal=FakePortal(pages_of([customer("p1", "one.com")])), crm=crm)
    crm_sync(service)
    sync(service)
    told = told_before_kill(store, home)
    with store.read() as connection:
        kept = list(connection.scalars(sa.select(t.Decision.id).order_by(t.Decision.id)))
        mapped = connection.execute(sa.select(t.Mapping.account_id, t.Mapping.decision_id)).one()
        last = connection.execute(
            sa.select(t.Decision.account_id, t.Decision.id).where(t.Decision.id == kept[-1])
        ).one()
        version = connection.scalar(sa.select(t.Worklist.version))
    assert len(told) >= WAITED_FOR
    assert set(told) <= set(kept)
    assert tuple(mapped) == tuple(last)
    assert version == kept[-1]


def test_a_decision_answered_as_saved_survives_kill_9(home: Path) -> None:
    put_migrated(home)
    store = open_store(f"sqlite:///{home / 'w365.db'}")
    check_that_a_told_decision_is_there(store, home)
    store.close()


@pytest.mark.postgres
def test_a_decision_answered_as_saved_survives_kill_9_on_postgresql(fresh_postgres: Store, home: Path) -> None:
    check_that_a_told_decision_is_there(fresh_postgres, home)
