"""A sync that stopped half-way: what it keeps, and where the next one goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from service.fakes import (
    ADMIN,
    ANALYST,
    FakeClock,
    FakePortal,
    customer,
    lose_processes,
    make_service,
    pages_of,
    rows_of,
    sync,
)
from service.sync_steps import PA, failing, many, result, three_pages

from w365.errors import SourceRefused, SourceUnreachable
from w365.jobs import execute_run
from w365.model import RunState
from w365.service.syncing import providers, runs
from w365.source_records import Rejected
from w365.store.db.engine import Store
from w365.store.runs import cancel_run


def test_a_run_that_failed_at_a_page_goes_on_there_with_what_it_had_seen(store: Store, home: Path) -> None:
    portal = FakePortal(pages_of(many(12)))
    service = make_service(store, home, portal=portal)
    sync(service)
    portal.served = three_pages()
    portal.before = {2: failing(SourceUnreachable("No answer."))}
    failed = sync(service)
    assert (failed.state, failed.cursor, failed.done) == (RunState.FAILED, "after 2", 8)
    assert rows_of(store, PA.id, where=PA.gone_at.is_not(None)) == []
    portal.before = {}
    run = sync(service)
    assert (result(run), portal.asked[-1], run.cursor) == ({"unchanged": 12}, "after 2", None)


def test_problems_found_before_an_interruption_belong_to_the_run_that_continued(store: Store, home: Path) -> None:
    first, *others = three_pages()
    portal = FakePortal([replace(first, rejected=(Rejected("x", "name is missing."),)), *others])
    portal.before = {1: failing(SourceUnreachable("No answer."))}
    service = make_service(store, home, portal=portal)
    sync(service)
    portal.before = {}
    run = sync(service)
    assert run.result["rejected"] == 1
    assert runs.read_run(service, ADMIN, run.id)[1] == [("x", "name is missing.")]


def test_a_cursor_the_provider_forgot_leads_to_a_new_start(store: Store, home: Path) -> None:
    portal = FakePortal(three_pages(), {2: failing(SourceUnreachable("No answer."))})
    service = make_service(store, home, portal=portal)
    sync(service)
    portal.served, portal.before = pages_of(many(12)), {}
    run = sync(service)
    assert portal.asked == [None, "after 2", None]
    assert (run.state, result(run)) == (RunState.DONE, {"new": 4, "unchanged": 8})


def test_a_cursor_of_yesterday_is_not_continued(store: Store, home: Path) -> None:
    clock = FakeClock()
    portal = FakePortal(three_pages(), {2: failing(SourceUnreachable("No answer."))})
    service = make_service(store, home, portal=portal, clock=clock)
    sync(service)
    clock.forward(days=1)
    portal.before = {}
    assert result(sync(service)) == {"new": 4, "unchanged": 8}
    assert portal.asked == [None, None]


def test_a_refusal_in_the_middle_is_not_taken_for_a_stale_cursor(store: Store, home: Path) -> None:
    portal = FakePortal(three_pages(), {1: failing(SourceUnreachable("No answer."))})
    service = make_service(store, home, portal=portal)
    sync(service)
    portal.before = {2: failing(SourceRefused("Forbidden.", status=403))}
    run = sync(service)
    assert (run.state, run.error, run.cursor) == (RunState.FAILED, "Forbidden.", "after 2")
    assert portal.asked == [None, "after 1"]


def test_cancelling_between_pages_keeps_the_pages_before(store: Store, home: Path) -> None:
    portal = FakePortal(three_pages())
    service = make_service(store, home, portal=portal)
    run_id = runs.request_sync(service, ADMIN, providers.PARTNER_CENTER)
    portal.before = {1: lambda: runs.ask_to_cancel(service, ANALYST, run_id)}
    run = execute_run(service, run_id)
    assert (run.state, run.done) == (RunState.CANCELLED, 4)
    assert run.error == "The run was cancelled. The pages written so far were kept. Start it again any time."
    portal.before = {}
    assert result(sync(service)) == {"new": 12}


def test_a_run_cancelled_before_it_began_is_never_done(store: Store, home: Path) -> None:
    portal = FakePortal(three_pages())
    service = make_service(store, home, portal=portal)
    run_id = runs.request_sync(service, ADMIN, providers.PARTNER_CENTER)
    with store.write() as connection:
        cancel_run(connection, run_id, service.clock())
    assert (execute_run(service, run_id).state, portal.asked) == (RunState.CANCELLED, [])


def test_a_run_released_as_dead_writes_no_further_page_and_marks_nothing_gone(store: Store, home: Path) -> None:
    clock = FakeClock()
    portal = FakePortal(pages_of(many(12)))
    service = make_service(store, home, portal=portal, clock=clock)
    sync(service)
    second: list[int] = []

    def sleep_through_a_takeover() -> None:
        clock.forward(minutes=5)
        lose_processes(store)
        second.append(runs.request_sync(service, ANALYST, providers.PARTNER_CENTER))

    listed = [*many(12), customer("newcomer", "newcomer.com")]
    portal.served, portal.before = pages_of(listed[:4], listed[4:]), {1: sleep_through_a_takeover}
    first = sync(service)
    assert (first.state, first.done) == (RunState.INTERRUPTED, 4)
    assert ("newcomer",) not in rows_of(store, PA.specific_id)
    portal.before = {}
    run = execute_run(service, second[0])
    assert (run.state, result(run)) == (RunState.DONE, {"new": 1, "unchanged": 12})
