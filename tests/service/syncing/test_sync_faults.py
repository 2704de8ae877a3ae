"""A sync that fails at any of its operations leaves whole pages, and the next one makes all good."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from fresh_stores import FreshStores
from service.fakes import ADMIN, FakePortal, claimed, make_service, rows_of, sync
from service.sync_steps import PA, contents, empty, three_pages

from w365.model import RunState
from w365.service import Service
from w365.service.syncing import providers, runs
from w365.service.syncing.customers import run_sync
from w365.store import tables as t
from w365.store.db.engine import Store
from w365.store.runs import Progress


class _Breaks(Exception):
    """A fault of the store's that nobody foresees."""


def break_at(store: Store, number: int) -> Callable[[], bool]:
    """Make the n-th statement from now on raise; return a function that tells whether it came to that, and ends it."""
    left = [number]

    def count(*_: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise _Breaks

    sa.event.listen(store.engine, "before_cursor_execute", count)

    def end() -> bool:
        sa.event.remove(store.engine, "before_cursor_execute", count)
        return left[0] <= 0

    return end


def test_a_fault_at_any_statement_leaves_whole_pages_and_a_cursor_that_agrees(
    fresh_stores: FreshStores, home: Path
) -> None:
    """Fail at the n-th statement for every n; what is stored is whole pages, and the next run makes all good."""
    undisturbed = fresh_stores()
    sync(make_service(undisturbed, home, portal=FakePortal(three_pages())))
    wanted = contents(undisturbed)
    number, is_over = 0, False
    store = fresh_stores()
    service = make_service(store, home, portal=FakePortal(three_pages()))
    while not is_over:
        number += 1
        empty(store)
        run = claimed(service, runs.request_sync(service, ADMIN, providers.PARTNER_CENTER))
        is_over = not _breaks_off(service, run, number)
        rows, domains = rows_of(store, PA.id), rows_of(store, t.ProviderAccountDomain.domain)
        after = runs.read_run(service, ADMIN, run.id)[0]
        pages_there = {None: (0, 12), "after 1": (4,), "after 2": (8,)}[after.cursor]
        assert (
            len(rows)
            == len(domains)
            == len(rows_of(store, t.Worklist.seats))
            == len(rows_of(store, t.Touched.provider_account_id))
        )
        assert len(rows) in pages_there
        assert after.done == len(rows)
    assert number > 60
    sync_after(service, store)
    assert contents(store) == wanted


def _breaks_off(service: Service, run: Any, number: int) -> bool:
    end = break_at(service.store, number)
    with contextlib.suppress(_Breaks):
        run_sync(service, run, Progress(service.store, run.id, service.clock))
    return end()


def sync_after(service: Service, store: Store) -> None:
    with store.write() as connection:
        connection.execute(sa.update(t.Run).values(state=RunState.INTERRUPTED))
    sync(service)
