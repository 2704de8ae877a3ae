"""When a run counts as lost, whatever the clocks show, and what becomes of it."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys

import pytest
from service.fakes import FakeClock, lose_processes, rows_of

from w365.model import RunKind, RunState
from w365.process_names import is_alive, name_process
from w365.store.db.engine import Store
from w365.store.lost_runs import LEASE_SECONDS, LOOK_SECONDS, Watch, release_lost
from w365.store.runs import (
    RESUMABLE,
    Progress,
    RunView,
    cancel_run,
    claim_run,
    end_run,
    get_run,
    keep_alive,
    request_run,
)
from w365.store.tables import Run


class Passing:
    """Time as it passes for the one who looks."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def start(store: Store, clock: FakeClock, kind: RunKind = RunKind.SYNC, target: str = "p") -> RunView:
    with store.write() as connection:
        run = claim_run(connection, request_run(connection, kind, target, "ada", clock()), clock())
    assert run is not None
    return run


def look(store: Store, watch: Watch, passing: Passing, seconds: float) -> list[int]:
    passing.seconds += seconds
    with store.write() as connection:
        return watch.find_lost(connection)


def release(store: Store, run: RunView, clock: FakeClock) -> RunView:
    with store.write() as connection:
        release_lost(connection, [run.id], clock())
        return get_run(connection, run.id)


def claim(store: Store, run: RunView, clock: FakeClock) -> RunView:
    with store.write() as connection:
        again = claim_run(connection, run.id, clock())
    assert again is not None
    return again


# --- noticed ---


def test_a_run_is_lost_after_a_minute_without_a_sign(store: Store) -> None:
    passing = Passing()
    run, watch = start(store, FakeClock()), Watch(passing)
    looks = int(LEASE_SECONDS / LOOK_SECONDS)
    assert [look(store, watch, passing, LOOK_SECONDS) for _ in range(looks + 2)] == [*[[]] * (looks + 1), [run.id]]


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_step_of_the_clock_of_an_hour_loses_no_run_that_gives_signs(store: Store, hours: int) -> None:
    clock, passing = FakeClock(), Passing()
    run, watch = start(store, clock), Watch(passing)
    for _ in range(20):
        assert look(store, watch, passing, LOOK_SECONDS) == []
        clock.forward(hours=hours)
        with store.write() as connection:
            keep_alive(connection, run, clock())


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_sign_with_a_time_to_come_or_long_gone_keeps_no_dead_run(store: Store, hours: int) -> None:
    clock, passing = FakeClock(), Passing()
    clock.forward(hours=hours)
    run, watch = start(store, clock), Watch(passing)
    clock.forward(hours=-hours)
    found = [look(store, watch, passing, LOOK_SECONDS) for _ in range(6)]
    assert (found[-2:], found[:-1].count([run.id])) == ([[], [run.id]], 0)


def test_a_machine_that_slept_gives_its_processes_time_for_a_sign(store: Store) -> None:
    clock, passing = FakeClock(), Passing()
    run, watch = start(store, clock), Watch(passing)
    assert look(store, watch, passing, LOOK_SECONDS) == []
    assert look(store, watch, passing, 8 * 3600) == []
    clock.forward(hours=8)
    with store.write() as connection:
        keep_alive(connection, run, clock())
    assert [look(store, watch, passing, LOOK_SECONDS) for _ in range(4)] == [[], [], [], []]


def test_a_process_of_this_machine_is_known_to_have_ended_at_once() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        name = name_process(process.pid)
        assert is_alive(name) is True
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert is_alive(name) is False  # not yet cleared away
    assert is_alive(name) is False
    machine, pid, start = name_process().split(" ")
    assert is_alive(f"{machine} {pid} {int(start) + 1}") is False  # its number was given anew
    assert is_alive(f"elsewhere {pid} {start}") is None
    assert is_alive("") is None


# --- what becomes of it ---


def test_a_lost_run_goes_on_once_by_itself_and_ends_with_a_sentence_the_second_time(store: Store) -> None:
    clock = FakeClock()
    first = start(store, clock)
    with store.write() as connection:
        Progress(store, first.id, clock).report(connection, cursor="page 2", done=7)
    assert release(store, first, clock).state is RunState.QUEUED
    second = claim(store, first, clock)
    assert (second.cursor, second.done, second.actor, second.tries) == ("page 2", 7, "ada", 2)
    ended = release(store, second, clock)
    assert ended.state is RunState.INTERRUPTED
    assert ended.error == (
        "The process that did this ended early, and so did the one that went on by itself. "
        "What it had written was kept; the next run goes on there."
    )


def test_what_was_lost_long_ago_or_before_its_first_page_begins_anew(store: Store) -> None:
    clock = FakeClock()
    for cursor, later in (("page 2", RESUMABLE), (None, dt.timedelta())):
        run = start(store, clock, target=str(cursor))
        with store.write() as connection:
            Progress(store, run.id, clock).report(connection, cursor=cursor, done=7, result={"new": 7})
        release(store, run, clock)
        clock.at += later
        again = claim(store, run, clock)
        assert (again.cursor, again.done, dict(again.result)) == (None, 0, {})


def test_what_a_person_cancelled_does_not_go_on(store: Store) -> None:
    clock = FakeClock()
    run = start(store, clock)
    with store.write() as connection:
        cancel_run(connection, run.id, clock(), "ben")
        assert get_run(connection, run.id).state is RunState.RUNNING
    assert release(store, run, clock).state is RunState.CANCELLED


def test_cancelling_ends_a_run_whose_process_ended_then_and_there(store: Store) -> None:
    clock = FakeClock()
    run = start(store, clock)
    lose_processes(store)
    with store.write() as connection:
        cancel_run(connection, run.id, clock(), "ben")
        seen = get_run(connection, run.id)
    assert (seen.state, seen.cancel_by, seen.cancel_at) == (RunState.CANCELLED, "ben", clock())


@pytest.mark.parametrize(
    ("kind", "kept"),
    [
        (RunKind.BULK, "Undo takes it back; choose the rest again."),
        (RunKind.UNDO, "Undo takes it back; choose the rest again."),
        (RunKind.IMPORT, "Nothing was imported; import the file again."),
        (RunKind.CRM_SYNC, "the next run goes on there."),
    ],
)
def test_what_cannot_go_on_says_what_was_kept(store: Store, kind: RunKind, kept: str) -> None:
    clock = FakeClock()
    ended = release(store, claim(store, release(store, start(store, clock, kind), clock), clock), clock)
    assert ended.state is RunState.INTERRUPTED
    assert ended.error.startswith("The process that did this ended early, and so did the one that went on by itself. ")
    assert ended.error.endswith(kept)


def test_a_process_that_wakes_up_beside_its_successor_writes_and_ends_nothing(store: Store) -> None:
    clock = FakeClock()
    first = start(store, clock)
    release(store, first, clock)
    second = claim(store, first, clock)
    clock.forward(seconds=5)
    with store.write() as connection:
        keep_alive(connection, first, clock())
        assert not end_run(connection, first.id, RunState.DONE, clock(), tries=first.tries)
    assert rows_of(store, Run.state, Run.tries) == [(RunState.RUNNING, second.tries)]
    assert rows_of(store, Run.heartbeat_at) != [(clock(),)]
