"""Many people at once, on both databases: every edit is saved or told to be stale, and none is lost."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from counted import check_kept_counts
from service.fakes import (
    ADMIN,
    FakeCrm,
    FakePortal,
    account,
    crm_sync,
    customer,
    make_service,
    pages_of,
    rows_of,
    sync,
)

from w365.errors import StaleEdit
from w365.model import Actor, Role
from w365.service import Service
from w365.service.configuring import settings
from w365.service.deciding import mapping
from w365.service.matching import run
from w365.store import tables as t
from w365.store.configuring.settings import read_policy
from w365.store.db.engine import Store
from w365.store.matching.refresh_derived import refresh_with_rivals

ACCOUNTS = 4


def prepared(store: Store, home: Path, customers: int) -> Service:
    crm = FakeCrm()
    crm.put(*(account(f"a{number}", website="p0.com") for number in range(ACCOUNTS)))
    portal = FakePortal(pages_of([customer(f"p{number}", "p0.com") for number in range(customers)]))
    service = make_service(store, home, portal=portal, crm=crm)
    crm_sync(service)
    sync(service)
    return service


def edit(service: Service, who: str, seed: int, edits: int) -> tuple[int, int]:
    """Assign at random, each time on what was just seen; return how many were saved and how many were stale."""
    dice = random.Random(seed)
    actor = Actor(who, Role.ANALYST)
    rows = [row[0] for row in rows_of(service.store, t.ProviderAccount.id)]
    accounts = [row[0] for row in rows_of(service.store, t.Account.id)]
    saved = stale = 0
    for _ in range(edits):
        row_id = dice.choice(rows)
        latest = sa.select(sa.func.max(t.Decision.id)).where(t.Decision.provider_account_id == row_id)
        with service.store.read() as connection:
            seen = connection.scalar(latest) or 0
        try:
            mapping.assign_account(service, actor, row_id, dice.choice(accounts), seen=seen)
            saved += 1
        except StaleEdit:
            stale += 1
    return saved, stale


def witness(service: Service, threads: int, edits: int) -> None:
    """Two counts that know nothing of each other agree, and what is derived equals what is made anew."""
    with ThreadPoolExecutor(threads) as pool:
        jobs = [pool.submit(edit, service, f"analyst {number}", number, edits) for number in range(threads)]
        results = [job.result() for job in jobs]
    saved = sum(one for one, _ in results)
    assert saved + sum(stale for _, stale in results) == threads * edits
    decisions = rows_of(service.store, t.Decision.id, t.Decision.provider_account_id, t.Decision.account_id)
    assert len(decisions) == saved
    chain(service.store)
    latest = {row_id: (decision, account_id) for decision, row_id, account_id in decisions}
    mappings = rows_of(service.store, t.Mapping.provider_account_id, t.Mapping.decision_id, t.Mapping.account_id)
    assert {row[0]: row[1:] for row in mappings} == latest
    work = rows_of(service.store, t.Worklist.provider_account_id, t.Worklist.version, t.Worklist.account_id)
    assert {row[0]: row[1:] for row in work if row[1]} == latest
    run.refresh_touched(service)
    with service.store.write() as connection:
        check_kept_counts(connection)
        before = connection.execute(sa.select(t.Worklist.__table__).order_by(t.Worklist.provider_account_id)).all()
        refresh_with_rivals(connection, read_policy(connection), None)
        after = connection.execute(sa.select(t.Worklist.__table__).order_by(t.Worklist.provider_account_id)).all()
    assert before == after


def chain(store: Store) -> None:
    """Each decision's old account is the account of the one before: none overwrote what it had not seen."""
    decision = t.Decision
    last: dict[int, int | None] = {}
    for _, row_id, old, new in rows_of(
        store, decision.id, decision.provider_account_id, decision.old_account_id, decision.account_id
    ):
        assert last.get(row_id) == old
        last[row_id] = new


@pytest.mark.parametrize("rows", [1, 6])
def test_no_edit_is_lost_on_sqlite(store: Store, home: Path, rows: int) -> None:
    witness(prepared(store, home, rows), threads=4, edits=8)


@pytest.mark.postgres
@pytest.mark.parametrize("rows", [1, 6])
def test_no_edit_is_lost_on_postgresql(fresh_postgres: Store, home: Path, rows: int) -> None:
    witness(prepared(fresh_postgres, home, rows), threads=4, edits=15)


@pytest.mark.postgres
def test_under_a_unique_policy_two_never_get_one_account_on_postgresql(fresh_postgres: Store, home: Path) -> None:
    service = prepared(fresh_postgres, home, 6)
    settings.set_setting(service, ADMIN, "cardinality", "unique")
    _race_for_accounts(service)


def test_under_a_unique_policy_two_never_get_one_account(store: Store, home: Path) -> None:
    service = prepared(store, home, 6)
    settings.set_setting(service, ADMIN, "cardinality", "unique")
    _race_for_accounts(service)


def _race_for_accounts(service: Service) -> None:
    from w365.errors import PolicyBreach

    rows = [row[0] for row in rows_of(service.store, t.ProviderAccount.id)]
    account_id = rows_of(service.store, t.Account.id)[0][0]

    def take(row_id: int) -> bool:
        try:
            mapping.assign_account(service, ADMIN, row_id, account_id, seen=0)
        except PolicyBreach:
            return False
        return True

    with ThreadPoolExecutor(len(rows)) as pool:
        taken = list(pool.map(take, rows))
    assert sum(taken) == 1
    assert len(rows_of(service.store, t.Mapping.account_id)) == 1


def _hammer(act: Callable[[], object], times: int) -> None:
    for _ in range(times):
        act()


def test_edits_and_syncs_at_once_leave_what_one_after_the_other_would(store: Store, home: Path) -> None:
    service = prepared(store, home, 4)
    with ThreadPoolExecutor(2) as pool:
        editing = pool.submit(edit, service, "analyst", 1, 8)
        syncing = pool.submit(_hammer, lambda: sync(service), 2)
        saved, _ = editing.result()
        syncing.result()
    assert len(rows_of(store, t.Decision.id)) == saved
    chain(store)
