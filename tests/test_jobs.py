"""Runs: one at a time of a kind and target, told apart from dead ones, ended with a sentence; and the worker."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
import sqlalchemy as sa
from fresh_stores import FreshStores, path_of
from processes import CONTEXT
from service.fakes import (
    ADMIN,
    ANALYST,
    FakeClock,
    FakePortal,
    customer,
    lose_processes,
    make_service,
    match,
    pages_of,
    rows_of,
    sync,
)

from w365 import jobs
from w365.errors import AlreadyRunning, SourceUnreachable, StoreError
from w365.jobs import _interrupt, execute_run, work
from w365.log import RedactingFormatter
from w365.model import RunKind, RunState
from w365.service import Service
from w365.service.syncing import providers, runs
from w365.store import tables as t
from w365.store.db.engine import Store, open_store
from w365.store.runs import claim_run, end_run, now

PAGES = pages_of(*([customer(f"p{page}{place}", f"p{page}{place}.com") for place in range(5)] for page in range(4)))


def request(service: Service) -> int:
    return runs.request_sync(service, ADMIN, providers.PARTNER_CENTER)


def run_of(service: Service, run_id: int) -> object:
    return runs.read_run(service, ADMIN, run_id)[0]


# --- one at a time ---


def test_a_second_start_is_told_who_started_the_first_and_when(store: Store, home: Path) -> None:
    clock = FakeClock()
    service = make_service(store, home, clock=clock)
    other_store = open_store(str(store.engine.url))
    other = make_service(other_store, home, clock=clock)
    request(service)
    clock.forward(minutes=3)
    with pytest.raises(AlreadyRunning, match=r"started by ada at 09:00 UTC\. It goes on undisturbed\. Wait for it"):
        request(other)
    assert len(rows_of(store, t.Run.id)) == 1
    runs.request_crm_sync(other, ANALYST)  # another kind is another matter
    other_store.close()


def test_the_database_itself_holds_one_active_run_of_a_kind_and_target(store: Store) -> None:
    values = {"kind": RunKind.SYNC, "target": "x", "actor": "a", "requested_at": now(), "result": {}}
    both = [values | {"state": state} for state in (RunState.RUNNING, RunState.QUEUED)]
    with store.write() as connection, pytest.raises(sa.exc.IntegrityError):
        connection.execute(sa.insert(t.Run), both)


def test_a_claimed_run_is_done_once(store: Store, home: Path) -> None:
    portal = FakePortal(PAGES)
    service = make_service(store, home, portal=portal)
    run_id = request(service)
    portal.before[1] = lambda: jobs._claim(service, run_id) and pytest.fail("it was claimed twice")
    assert execute_run(service, run_id).state is RunState.DONE
    assert portal.asked == [None]


def test_what_a_run_wrote_is_in_the_file_itself_when_it_is_over(store: Store, home: Path, tmp_path: Path) -> None:
    match(make_service(store, home))
    shutil.copyfile(path_of(store), tmp_path / "alone.db")
    with closing(sqlite3.connect(tmp_path / "alone.db")) as alone:
        assert alone.execute("SELECT kind, state FROM run").fetchall() == [("match", "done")]


def test_a_run_without_heartbeat_is_released_and_the_next_goes_on(store: Store, home: Path) -> None:
    clock = FakeClock()
    service = make_service(store, home, portal=FakePortal(PAGES), clock=clock)
    dead = request(service)
    with store.write() as connection:
        claim_run(connection, dead, clock())
    clock.forward(minutes=59)
    with pytest.raises(AlreadyRunning):
        request(service)
    lose_processes(store)
    assert execute_run(service, request(service)).state is RunState.DONE
    run = run_of(service, dead)
    assert (run.state, run.error[:41]) == (RunState.INTERRUPTED, "The process that did this ended early. Wh")


def test_a_sync_is_followed_by_a_match_even_when_it_failed_after_some_pages(store: Store, home: Path) -> None:
    def fail() -> None:
        raise SourceUnreachable("No answer.")

    service = make_service(store, home, portal=FakePortal(PAGES, {2: fail}))
    assert sync(service).state is RunState.FAILED
    assert rows_of(store, t.Run.kind, t.Run.state, t.Run.actor, where=t.Run.kind == "match") == [
        ("match", "done", "ada")
    ]
    assert rows_of(store, t.Touched.provider_account_id) == []


def test_a_match_that_fails_is_not_tried_for_ever(store: Store, home: Path) -> None:
    service = make_service(store, home, portal=FakePortal(PAGES))
    with store.write() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER broken BEFORE INSERT ON snapshot BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    sync(service)
    assert rows_of(store, t.Run.kind, t.Run.state) == [("match", "failed"), ("sync", "done")]


# --- how a run ends ---


def test_a_known_failure_ends_with_its_sentence(store: Store, home: Path) -> None:
    def fail() -> None:
        raise SourceUnreachable("Partner Center does not answer.", kept="8 pages were kept.", detail="request 4711")

    run = sync(make_service(store, home, portal=FakePortal(PAGES, {1: fail})))
    assert (run.state, run.error) == (RunState.FAILED, "Partner Center does not answer. 8 pages were kept.")


def test_an_unforeseen_failure_gives_a_reference_and_keeps_its_details_in_the_log(
    store: Store, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("the inner workings")

    caplog.handler.setFormatter(RedactingFormatter([]))
    with caplog.at_level(logging.ERROR):
        run = sync(make_service(store, home, portal=FakePortal(PAGES, {1: fail})))
    assert run.state is RunState.FAILED
    assert f"[run {run.id}]" in caplog.text
    reference = run.error.partition("(reference ")[2][:8]
    assert reference in caplog.text
    assert "the inner workings" in caplog.text
    assert "inner" not in run.error
    assert "Traceback" not in run.error
    assert (run.cursor, run.done) == ("after 1", 5)


def test_a_stopped_process_leaves_an_interrupted_run_that_can_go_on(store: Store, home: Path) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    portal = FakePortal(PAGES, {2: stop})
    service = make_service(store, home, portal=portal)
    run_id = request(service)
    with pytest.raises(KeyboardInterrupt):
        execute_run(service, run_id)
    assert run_of(service, run_id).state is RunState.INTERRUPTED
    portal.before = {}
    assert sync(service).result["new"] == 20


def test_a_worker_that_is_told_to_stop_says_so_of_what_was_under_way(store: Store, home: Path) -> None:
    portal = FakePortal(PAGES)
    service = make_service(store, home, portal=portal)
    portal.before[1] = lambda: _interrupt(service)
    run = sync(service)
    assert (run.state, run.error) == (
        RunState.INTERRUPTED,
        "The worker was stopped. What was written was kept; the next run goes on there.",
    )
    assert run.done == 5


# --- killed ---


def _sync_slowly(url: str, home: Path) -> None:
    """In another process: sync, and stand still in the third page as long as one lets it."""
    store = open_store(url)
    portal = FakePortal(PAGES, {2: lambda: time.sleep(60)})
    service = make_service(store, home, portal=portal, clock=now)
    execute_run(service, request(service))


def test_after_kill_9_the_next_run_completes_and_equals_an_undisturbed_one(
    fresh_stores: FreshStores, home: Path
) -> None:
    store, undisturbed = fresh_stores(), fresh_stores()
    make_service(store, home)
    process = CONTEXT.Process(target=_sync_slowly, args=(str(store.engine.url), home))
    process.start()
    _wait_for(lambda: rows_of(store, t.Run.done) == [(10,)])
    os.kill(process.pid or 0, 9)
    process.join()
    later = FakeClock()
    later.at = now()
    later.forward(minutes=2)
    service = make_service(store, home, portal=FakePortal(PAGES), clock=later)
    run = sync(service)
    assert (run.state, run.result["new"], run.result["gone"]) == (RunState.DONE, 20, 0)
    sync(make_service(undisturbed, home, portal=FakePortal(PAGES)))
    assert contents(store) == contents(undisturbed)
    states = rows_of(store, t.Run.state, where=t.Run.kind == RunKind.SYNC)
    assert states == [("done",), ("interrupted",)]


def contents(store: Store) -> list[object]:
    pa, pad, work = t.ProviderAccount, t.ProviderAccountDomain, t.Worklist
    return [
        rows_of(store, pa.specific_id, pa.name, pa.main_domain),
        rows_of(store, pad.domain, pad.kind),
        rows_of(store, work.specific_id, work.status, work.reason),
    ]


def _wait_for(is_so: Callable[[], bool]) -> None:
    for _ in range(600):
        if is_so():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to that in 30 s")


# --- the worker ---


def test_an_outage_of_the_database_is_one_line_when_it_begins_and_one_at_its_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail() -> None:
        raise StoreError("The PostgreSQL server cannot be reached.", do="Check it.", detail="refused")

    with caplog.at_level(logging.INFO, logger="w365"):
        for _ in range(3):
            for name in ("sweep", "take a run"):
                jobs._try(name, fail)
        begun = [record.getMessage() for record in caplog.records]
        for _ in range(2):
            assert jobs._try("sweep", lambda: 1) == 1
            assert jobs._try("take a run", lambda: 2) == 2
    (line,) = begun
    assert "The PostgreSQL server cannot be reached. Check it. refused" in line
    assert [record.getMessage() for record in caplog.records] == [line, "the database answers again"]


def test_what_waits_longest_is_taken_first(store: Store, home: Path) -> None:
    service = make_service(store, home)
    first, second = request(service), runs.request_crm_sync(service, ADMIN)
    taken = [jobs._claim_next(service) for _ in range(3)]
    assert [run and run.id for run in taken] == [first, second, None]


def _work(url: str, home: Path, pause: float, parent: int | None) -> None:
    """In another process: work as a worker does, and stand still for so long in the third page of a sync."""
    portal = FakePortal(PAGES, {2: lambda: time.sleep(pause)})
    work(make_service(open_store(url), home, portal=portal, clock=now), parent=parent)


@contextmanager
def worker(store: Store, home: Path, *, pause: float = 0, parent: int | None = None) -> Iterator[BaseProcess]:
    url = store.engine.url.render_as_string(hide_password=False)
    process = CONTEXT.Process(target=_work, args=(url, home, pause, parent))
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def states(store: Store) -> list[tuple[str, str]]:
    return [(kind, state) for kind, state in rows_of(store, t.Run.kind, t.Run.state)]


def check_worked_on(store: Store, home: Path) -> None:
    service = make_service(store, home, clock=now)
    with worker(store, home) as process:
        run_id = request(service)
        _wait_for(lambda: states(store) == [("match", "done"), ("sync", "done")])
        assert run_of(service, run_id).result["new"] == 20
        os.kill(process.pid or 0, signal.SIGTERM)
        process.join(20)
        assert process.exitcode == 0


def test_a_worker_does_what_is_asked_for_and_the_match_that_follows(store: Store, home: Path) -> None:
    check_worked_on(store, home)


@pytest.mark.postgres
def test_a_worker_does_what_is_asked_for_on_postgresql(fresh_postgres: Store, home: Path) -> None:
    check_worked_on(fresh_postgres, home)


def test_a_worker_that_is_terminated_interrupts_what_is_under_way(store: Store, home: Path) -> None:
    service = make_service(store, home, clock=now)
    with worker(store, home, pause=60) as process:
        run_id = request(service)
        _wait_for(lambda: run_of(service, run_id).done == 10)
        os.kill(process.pid or 0, signal.SIGTERM)
        process.join(20)
        assert process.exitcode == 0
    run = run_of(service, run_id)
    assert (run.state, run.error[:23]) == (RunState.INTERRUPTED, "The worker was stopped.")


def test_a_worker_that_is_interrupted_from_the_keyboard_ends_what_is_under_way_first(store: Store, home: Path) -> None:
    service = make_service(store, home, clock=now)
    with worker(store, home, pause=1) as process:
        run_id = request(service)
        _wait_for(lambda: run_of(service, run_id).done == 10)
        os.kill(process.pid or 0, signal.SIGINT)
        process.join(30)
        assert process.exitcode == 0
    assert run_of(service, run_id).state is RunState.DONE
    assert states(store) == [("match", "queued"), ("sync", "done")]


def test_a_second_interrupt_from_the_keyboard_is_not_waited_for(store: Store, home: Path) -> None:
    service = make_service(store, home, clock=now)
    with worker(store, home, pause=60) as process:
        run_id = request(service)
        _wait_for(lambda: run_of(service, run_id).done == 10)
        for _ in range(2):
            os.kill(process.pid or 0, signal.SIGINT)
            time.sleep(0.2)
        process.join(20)
        assert process.exitcode == 0
    assert run_of(service, run_id).state is RunState.INTERRUPTED


def test_a_worker_ends_with_the_process_that_started_it(store: Store, home: Path) -> None:
    make_service(store, home)
    with worker(store, home, parent=os.getpid()) as process:  # whose child it is not: a server forked it
        process.join(20)
        assert process.exitcode == 0


def test_a_run_that_a_worker_took_first_is_waited_for(store: Store, home: Path) -> None:
    entered, ends = threading.Event(), threading.Event()

    def stand_still() -> None:
        entered.set()
        ends.wait(20)

    portal = FakePortal(PAGES, {2: stand_still})
    service = make_service(store, home, portal=portal, clock=now)
    run_id = request(service)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(execute_run, service, run_id)
        assert entered.wait(20)
        second = pool.submit(execute_run, service, run_id)
        time.sleep(0.1)
        assert not second.done()
        ends.set()
        assert first.result(20).state is second.result(20).state is RunState.DONE
    assert portal.asked == [None]


def test_what_goes_wrong_is_logged_and_the_worker_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    def fail(error: Exception) -> None:
        raise error

    assert jobs._try("take a run", lambda: fail(SourceUnreachable("No answer."))) is None
    assert jobs._try("sweep", lambda: fail(RuntimeError("the inner workings"))) is None
    assert "could not take a run: No answer." in caplog.text
    assert "RuntimeError: the inner workings" in caplog.text


@pytest.mark.postgres
def test_of_two_workers_one_takes_a_run(fresh_postgres: Store, home: Path) -> None:
    other = open_store(fresh_postgres.engine.url.render_as_string(hide_password=False))
    services = [make_service(one, home) for one in (fresh_postgres, other)]
    for _ in range(5):
        run_id = request(services[0])
        with ThreadPoolExecutor() as pool:
            taken = [run.id for run in pool.map(jobs._claim_next, services) if run]
        assert taken == [run_id]
        with fresh_postgres.write() as connection:
            end_run(connection, run_id, RunState.DONE, now())
    other.close()


def test_a_run_whose_end_cannot_be_written_is_logged_and_no_outage_that_lasts(
    store: Store, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def lose_table() -> None:
        with store.write() as connection:
            connection.exec_driver_sql("ALTER TABLE run RENAME TO away")

    service = make_service(store, home, portal=FakePortal(PAGES, {1: lose_table}))
    run_id = request(service)
    run = jobs._claim_next(service)
    assert run is not None
    jobs._try(f"do run {run_id}", lambda: jobs._do(service, run))
    assert jobs._OUTAGE.begins("sweep")
    assert jobs._OUTAGE.ends("sweep")
    assert f"could not end run {run_id}: " in caplog.text


# --- alive ---


def test_a_run_that_waits_long_for_one_answer_is_not_given_up(
    store: Store, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "BEAT_SECONDS", 0.01)
    clock = FakeClock()
    portal = FakePortal(PAGES)
    service = make_service(store, home, portal=portal, clock=clock)

    def slow() -> None:
        clock.forward(minutes=3)
        until = time.monotonic() + 10
        while rows_of(store, t.Run.heartbeat_at) != [(clock.at,)] and time.monotonic() < until:
            time.sleep(0.01)
        assert rows_of(store, t.Run.heartbeat_at) == [(clock.at,)]

    portal.before = {1: slow}
    assert execute_run(service, request(service)).state is RunState.DONE
