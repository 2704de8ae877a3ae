"""Workers that are killed, wait for the silent, or come late: what waits is done all the same."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fresh_stores import FreshStores
from processes import CONTEXT
from service.fakes import ADMIN, FakeClock, FakeCrm, FakePortal, customer, make_service, pages_of, rows_of, sync
from typer.testing import CliRunner

from w365.cli.frame import run_now
from w365.cli.main import app, main
from w365.jobs import sweep, work
from w365.model import RunKind, RunState
from w365.portals import Portal
from w365.service import Check, Service
from w365.service.access import command_line_user
from w365.service.deciding.bulk_preview import Selection, preview_bulk
from w365.service.deciding.bulk_run import confirm_plan
from w365.service.syncing import providers, runs
from w365.service.syncing.schedules import Daily, save_schedules
from w365.store import tables as t
from w365.store.db.engine import Store, open_store
from w365.store.runs import RunView, get_run, now, request_run

PAGES = pages_of(*([customer(f"p{page}{place}", f"p{page}{place}.com") for place in range(5)] for page in range(4)))


def wait_for(is_so: Callable[[], bool]) -> None:
    for _ in range(600):
        if is_so():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to that in 30 s")


def look(service: Service, run_id: int) -> RunView:
    with service.store.read() as connection:
        return get_run(connection, run_id)


def _work(url: str, home: Path, stands_in: int | None) -> None:
    """In another process: work as a worker does, and stand still before that page of a sync as long as one lets it."""
    before = {} if stands_in is None else {stands_in: signal.pause}
    work(make_service(open_store(url), home, portal=FakePortal(PAGES, before), clock=now))


@contextmanager
def working(target: Callable[..., None], *arguments: Any) -> Iterator[BaseProcess]:
    process = CONTEXT.Process(target=target, args=arguments)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def kill_at(service: Service, run_id: int, *, page: int) -> None:
    """Let a worker begin the run, and kill it where it waits for that page, five customers each."""
    with working(_work, service.store.url, service.settings.home, page) as process:
        wait_for(lambda: (run := look(service, run_id)).state is RunState.RUNNING and run.done == page * 5)
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()


def check_goes_on_once(store: Store, undisturbed: Store, home: Path) -> None:
    service = make_service(store, home, clock=now)
    run_id = runs.request_sync(service, ADMIN, providers.PARTNER_CENTER)
    kill_at(service, run_id, page=2)
    with working(_work, store.url, home, None):
        wait_for(lambda: not look(service, run_id).is_active)
        wait_for(lambda: rows_of(store, t.Run.state, where=t.Run.kind == RunKind.MATCH) == [(RunState.DONE,)])
    run = look(service, run_id)
    assert (run.state, run.actor, run.tries, run.done) == (RunState.DONE, "ada", 2, 20)
    assert (run.result["new"], run.result["gone"]) == (20, 0)
    assert len(rows_of(store, t.Run.id, where=t.Run.kind == RunKind.SYNC)) == 1
    sync(make_service(undisturbed, home, portal=FakePortal(PAGES)))
    account = (t.ProviderAccount.specific_id, t.ProviderAccount.name, t.ProviderAccount.main_domain)
    assert rows_of(store, *account) == rows_of(undisturbed, *account)


def test_a_sync_whose_worker_is_killed_goes_on_by_itself_at_its_page(fresh_stores: FreshStores, home: Path) -> None:
    check_goes_on_once(fresh_stores(), fresh_stores(), home)


@pytest.mark.postgres
def test_a_sync_whose_worker_is_killed_goes_on_by_itself_on_postgresql(
    fresh_postgres: Store, fresh_stores: FreshStores, home: Path
) -> None:
    check_goes_on_once(fresh_postgres, fresh_stores(), home)


def test_a_sync_that_is_killed_twice_ends_with_a_sentence_and_the_next_goes_on(store: Store, home: Path) -> None:
    service = make_service(store, home, clock=now)
    run_id = runs.request_sync(service, ADMIN, providers.PARTNER_CENTER)
    kill_at(service, run_id, page=2)
    kill_at(service, run_id, page=3)
    with working(_work, store.url, home, None):
        wait_for(lambda: not look(service, run_id).is_active)
    run = look(service, run_id)
    assert (run.state, run.error.partition(". ")[0]) == (
        RunState.INTERRUPTED,
        "The process that did this ended early, and so did the one that went on by itself",
    )
    following = sync(make_service(store, home, portal=FakePortal(PAGES), clock=now))
    assert (following.state, following.result["new"]) == (RunState.DONE, 20)


def test_a_queued_run_that_nobody_took_up_is_done_by_the_next_command(store: Store, home: Path) -> None:
    """Its process died between asking for it and claiming it."""
    service = make_service(store, home, portal=FakePortal(PAGES))
    left = runs.request_sync(service, ADMIN, providers.PARTNER_CENTER)
    assert run_now(service, lambda: runs.request_sync(service, ADMIN, providers.PARTNER_CENTER)) == left
    assert look(service, left).state is RunState.DONE


def test_a_queued_run_that_nobody_took_up_is_done_by_the_next_worker(store: Store, home: Path) -> None:
    service = make_service(store, home, clock=now)
    left = runs.request_sync(service, ADMIN, providers.PARTNER_CENTER)
    with working(_work, store.url, home, None):
        wait_for(lambda: look(service, left).state is RunState.DONE)


# --- cancelled from the command line ---


@pytest.fixture
def environment(store: Store, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connected = {"URL": "https://centre.example", "TENANT_ID": "a.example", "CLIENT_ID": "c", "CLIENT_SECRET": "s"}
    settings = {f"W365_PARTNER_CENTER_{name}": value for name, value in connected.items()}
    for name, value in (settings | {"W365_DATABASE_URL": store.url, "W365_HOME": str(home)}).items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("environment")
def test_the_command_line_cancels_by_number_and_refuses_what_is_over(
    store: Store, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service = make_service(store, home, clock=now)
    waiting = runs.request_sync(service, ADMIN, providers.PARTNER_CENTER)
    assert CliRunner().invoke(app, ["cancel", str(waiting)]).stdout == "Partner Center sync: cancelled\n"
    for number, told in ((waiting, f"Run {waiting} is over: cancelled. Nothing was changed."), (99, "no run 99")):
        monkeypatch.setattr("sys.argv", ["w365", "cancel", str(number)])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 1
        assert told in capsys.readouterr().err


@pytest.mark.usefixtures("environment")
def test_the_command_line_says_at_once_that_a_run_is_being_stopped_and_ends_it_where_its_process_is_gone(
    store: Store, home: Path
) -> None:
    service = make_service(store, home, clock=now)
    run_id = runs.request_sync(service, ADMIN, providers.PARTNER_CENTER)
    with working(_work, store.url, home, 2) as process:
        wait_for(lambda: look(service, run_id).done == 10)
        told = CliRunner().invoke(app, ["cancel", str(run_id), "--json"])
        by = command_line_user().name
        assert re.fullmatch(rf"is being stopped, since \d\d:\d\d UTC, by {by}", json.loads(told.stdout)["state"])
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
    waited = CliRunner().invoke(app, ["cancel", str(run_id), "--wait"])
    assert waited.stdout == "Partner Center sync: cancelled\n"
    assert look(service, run_id).state is RunState.CANCELLED


# --- silent providers ---

SILENT = ("Silent one", "Silent two")


def _work_with_silent(url: str, home: Path, port: int) -> None:
    """In another process: work, where two providers accept and never answer."""

    def open_portal(name: str, check: Check) -> AbstractContextManager[Portal]:
        def wait_for_answer() -> None:
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.recv(1)

        return closing(FakePortal(PAGES, {0: wait_for_answer} if name in SILENT else {}))

    work(replace(make_service(open_store(url), home, crm=FakeCrm(), clock=now), open_portal=open_portal))


def ask_for_silent(store: Store) -> list[int]:
    table = t.Provider.__table__
    with store.write() as connection:
        row = connection.execute(sa.select(table).limit(1)).mappings().one()
        rows = [{**row, "id": row["id"] + 100 + place, "name": name} for place, name in enumerate(SILENT)]
        connection.execute(sa.insert(table), rows)
        return [request_run(connection, RunKind.SYNC, name, "ada", now()) for name in SILENT]


def test_two_silent_providers_keep_nobody_waiting(store: Store, home: Path) -> None:
    service = make_service(store, home, portal=FakePortal(PAGES), clock=now)
    sync(service)
    with socket.create_server(("127.0.0.1", 0), backlog=8) as server:
        silent = ask_for_silent(store)
        with working(_work_with_silent, store.url, home, server.getsockname()[1]):
            wait_for(lambda: all(look(service, run_id).state is RunState.RUNNING for run_id in silent))
            rows = Selection(ids=tuple(row_id for (row_id,) in rows_of(store, t.ProviderAccount.id)))
            shown = preview_bulk(service, ADMIN, rows, "exclude", {"reason": "left"})
            asked = [
                confirm_plan(service, ADMIN, shown.plan.id),
                runs.request_match(service, ADMIN),
                runs.request_sync(service, ADMIN, providers.PARTNER_CENTER),
            ]
            wait_for(lambda: all(look(service, run_id).state is RunState.DONE for run_id in asked))
            assert all(look(service, run_id).state is RunState.RUNNING for run_id in silent)


# --- the sweep ---


def test_sweeping_adds_nothing_to_what_waits(store: Store, home: Path) -> None:
    service = make_service(store, home)
    with store.write() as connection:
        for number in range(500):
            request_run(connection, RunKind.BULK, f"Park #{number}", "ada", service.clock())
    for _ in range(3):
        sweep(service)
    assert len(rows_of(store, t.Run.id)) == 500


@pytest.mark.parametrize("hours", [-1, 1])
@pytest.mark.parametrize("minutes", [-90, -45, -1, 0, 1, 45, 90])
def test_a_step_of_the_clock_starts_no_daily_sync_twice_and_skips_none(
    store: Store, home: Path, hours: int, minutes: int
) -> None:
    """The clock steps so many minutes from the time of the sync, and is put right three hours later."""
    clock = FakeClock()
    service = make_service(store, home, clock=clock)
    target = str(rows_of(store, t.Provider.id, where=t.Provider.name == providers.PARTNER_CENTER)[0][0])
    at = clock.at.replace(hour=14, minute=0)
    save_schedules(service, ADMIN, {target: Daily(is_on=True, at=at.time())}, "UTC")

    def pass_minutes(many: int) -> None:
        for _ in range(many):
            clock.forward(minutes=1)
            sweep(service)
            with store.write() as connection:
                connection.execute(sa.update(t.Run).values(state=RunState.DONE))

    pass_minutes(5 * 60 + minutes)
    clock.forward(hours=hours)
    pass_minutes(3 * 60)
    clock.forward(hours=-hours)
    pass_minutes(3 * 60)
    assert len(rows_of(store, t.Run.id, where=t.Run.kind == RunKind.SYNC)) == 1
