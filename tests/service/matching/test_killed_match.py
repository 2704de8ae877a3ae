"""A match whose process is killed between what it mapped and its candidates."""

from __future__ import annotations

from pathlib import Path

from service.fakes import (
    ADMIN,
    FakeCrm,
    FakePortal,
    account,
    claimed,
    crm_sync,
    customer,
    lose_processes,
    make_service,
    pages_of,
    rows_of,
    sync,
)

from w365.jobs import execute_run, release
from w365.model import RunState
from w365.service.configuring.settings import set_setting
from w365.service.matching.run import run_match
from w365.service.syncing.runs import request_match
from w365.store import tables as t
from w365.store.db.engine import Store
from w365.store.lost_runs import Watch
from w365.store.runs import Progress


def test_a_match_that_is_killed_after_it_mapped_goes_on_with_the_rest(store: Store, home: Path) -> None:
    """Its mappings and counts are one transaction, its candidates come after."""
    crm = FakeCrm()
    crm.put(account("a1", website="one.com"))
    service = make_service(store, home, portal=FakePortal(pages_of([customer("p1", "one.com")])), crm=crm)
    set_setting(service, ADMIN, "auto_match", "true")
    crm_sync(service)
    sync(service)
    run = claimed(service, request_match(service, ADMIN, full=True))
    run_match(service, run, Progress(store, run.id, service.clock))
    lose_processes(store)
    release(service, Watch())
    ended = execute_run(service, run.id)
    assert (ended.state, ended.error) == (RunState.DONE, "")
    assert rows_of(store, t.Snapshot.status, where=t.Snapshot.run_id == run.id) == [("mapped",)]
    assert len(rows_of(store, t.Decision.id)) == 1
