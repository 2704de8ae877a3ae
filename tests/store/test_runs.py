"""Until when the next goes on where a run stopped: at the moment itself, and beside it."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from service.fakes import FakeClock

from w365.model import RunKind, RunState
from w365.store.db.engine import Store
from w365.store.runs import RESUMABLE, Progress, claim_run, end_run, get_run, request_run
from w365.store.tables import Run

MOMENT = dt.timedelta(microseconds=1)


def start(store: Store, clock: FakeClock) -> int:
    with store.write() as connection:
        run_id = request_run(connection, RunKind.SYNC, "p", "ada", clock())
        claim_run(connection, run_id, clock())
    return run_id


@pytest.mark.parametrize(("later", "cursor"), [(RESUMABLE - MOMENT, "page 2"), (RESUMABLE, None)])
def test_a_cursor_is_continued_for_less_than_an_hour(store: Store, later: dt.timedelta, cursor: str | None) -> None:
    clock = FakeClock()
    run_id = start(store, clock)
    with store.write() as connection:
        Progress(store, run_id, clock).report(connection, cursor="page 2")
        end_run(connection, run_id, RunState.FAILED, clock())
        following = request_run(connection, RunKind.SYNC, "p", "ada", clock() + later)
        assert get_run(connection, following).cursor == cursor


@pytest.mark.parametrize(("seconds", "is_told"), [(0.999, False), (1.0, True), (-3600.0, True)])
def test_that_the_process_lives_is_told_once_a_second(store: Store, seconds: float, *, is_told: bool) -> None:
    clock = FakeClock()
    run_id = start(store, clock)
    begun, progress = clock(), Progress(store, run_id, clock)
    clock.forward(seconds=seconds)
    progress.beat()
    with store.read() as connection:
        beat = connection.scalar(sa.select(Run.heartbeat_at).where(Run.id == run_id))
    assert beat == (clock() if is_told else begun)
