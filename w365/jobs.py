"""Background runs: the run's row is the truth, and a worker takes the row that waits longest.

The worker is a process of its own (`python -m w365 worker`), so that pages stay quick while a sync parses. The app
starts one beside itself; with PostgreSQL there may be as many as wanted, anywhere.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, TypeVar

from w365.errors import AlreadyRunning, Cancelled, StoreError, W365Error
from w365.log import Outage, logged_as
from w365.memory import return_memory, share_arenas
from w365.model import Actor, ProcessKind, Role, RunKind, RunState
from w365.service import Service
from w365.service.deciding.bulk_run import run_plan
from w365.service.deciding.parking import return_parked
from w365.service.importing.runs import run_import_of_file
from w365.service.importing.uploads import forget_old_uploads
from w365.service.matching.learning import run_learning
from w365.service.matching.run import run_match
from w365.service.processes import join_processes, say_alive
from w365.service.retention.keeping import keep_removing
from w365.service.shared_files import forget_old_files
from w365.service.syncing.crm import run_crm_sync
from w365.service.syncing.customers import run_sync
from w365.service.syncing.runs import request_match
from w365.service.syncing.scheduler import start_due
from w365.service.telling.notices import note_to_tell, tell_ended
from w365.service.writeback.compare import run_compare
from w365.service.writeback.runs import run_writeback
from w365.service.writeback.watch import DueWatch
from w365.store.active_runs import is_any_running, next_queued
from w365.store.lost_runs import LEASE_SECONDS, LOOK_SECONDS, Watch, release_lost
from w365.store.matching.dirty_rows import is_any_touched
from w365.store.onboarding.expected_customers import map_expected
from w365.store.run_counts import Counts
from w365.store.runs import (
    Progress,
    RunView,
    claim_run,
    end_run,
    get_run,
    keep_alive,
)

_log = logging.getLogger(__name__)

T = TypeVar("T")

_WORK: dict[RunKind, Callable[[Service, RunView, Progress], Counts]] = {
    RunKind.SYNC: run_sync,
    RunKind.CRM_SYNC: run_crm_sync,
    RunKind.MATCH: partial(run_match, map_first=map_expected),
    RunKind.BULK: run_plan,
    RunKind.UNDO: run_plan,
    RunKind.IMPORT: run_import_of_file,
    RunKind.MAPPING_IMPORT: run_import_of_file,
    RunKind.WRITEBACK: run_writeback,
    RunKind.COMPARE: run_compare,
    RunKind.LEARN: run_learning,
}
_CHANGES_NOTHING = (RunKind.WRITEBACK, RunKind.COMPARE, RunKind.LEARN)
_NEEDS_NO_MATCH = (RunKind.BULK, RunKind.UNDO, *_CHANGES_NOTHING)
POLL_SECONDS = 0.5
WATCH_SECONDS = 2.0
SWEEP_SECONDS = 60.0
RETENTION_SECONDS = 3600.0
BEAT_SECONDS = LEASE_SECONDS / 4

_LANES: Mapping[tuple[RunKind, ...], int] = {
    (RunKind.SYNC, RunKind.CRM_SYNC): 8,
    (RunKind.BULK, RunKind.UNDO, RunKind.IMPORT, RunKind.MAPPING_IMPORT): 1,
    (RunKind.MATCH,): 1,
    (RunKind.LEARN,): 1,
    (RunKind.WRITEBACK, RunKind.COMPARE): 1,
}
"""How many runs of these kinds a worker does at once. Syncs and writes to the CRM wait for others, who may be silent:
they take no place from what people decided. Of a source there is one sync at a time, so each has a place of its own."""


def execute_run(service: Service, run_id: int) -> RunView:
    """Do a queued run to its end and record how it ended; one that a worker took first is waited for.

    A sync is followed by a match; what people decided is not.
    """
    run = _claim(service, run_id)
    if run is None:
        return _wait_for(service, run_id)
    ended, match_id = _carry_out(service, run)
    if match_id is not None:
        execute_run(service, match_id)
    return _wait_for(service, run_id) if ended.is_active else ended


def _claim(service: Service, run_id: int) -> RunView | None:
    with service.store.write() as connection:
        return claim_run(connection, run_id, service.clock())


def _wait_for(service: Service, run_id: int) -> RunView:
    run = wait_for_end(service, run_id, or_queued=True)
    return execute_run(service, run_id) if run.is_active else run


def wait_for_end(service: Service, run_id: int, *, or_queued: bool = False) -> RunView:
    """Wait until a run has ended, or waits for somebody who does it where `or_queued`; return it as it is then."""
    watch = Watch()
    while (run := _look_at(service, run_id)).is_active and not (or_queued and run.state is RunState.QUEUED):
        time.sleep(POLL_SECONDS)
        # Its worker may have died; without this nobody would see it, and the wait had no end.
        release(service, watch)
    return run


def release(service: Service, watch: Watch) -> None:
    """Let runs whose process is gone go on, or end them."""
    with service.store.read() as connection:
        if not is_any_running(connection, but=()):
            return
    with service.store.write() as connection:
        release_lost(connection, watch.find_lost(connection), service.clock())


def _look_at(service: Service, run_id: int) -> RunView:
    with service.store.read() as connection:
        return get_run(connection, run_id)


def _carry_out(service: Service, run: RunView) -> tuple[RunView, int | None]:
    """Do a claimed run; return how it ended and the queued match that is to follow it, if one is."""
    _UNDER_WAY[run.id] = run.tries
    try:
        with logged_as(run=run.id), _kept_alive(service, run):
            _attempt(service, run)
    finally:
        _UNDER_WAY.pop(run.id, None)
    ended = _look_at(service, run.id)
    # At once: were the process killed before, nobody else would ask for it.
    match_id = None if run.kind in _NEEDS_NO_MATCH else _ask_for_match(service, ended)
    return_memory()  # after a read, with which the database's large cache is given up
    service.store.tidy()
    return ended, match_id


@contextmanager
def _kept_alive(service: Service, run: RunView) -> Iterator[None]:
    """Say now and then that this process lives: an answer may take longer than a run is believed to without a sign."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(BEAT_SECONDS):
            # While a match writes nobody else does, and so nobody gives a run up.
            with suppress(StoreError), service.store.write() as connection:
                keep_alive(connection, run, service.clock())

    threading.Thread(target=beat, name=f"run {run.id} lives", daemon=True).start()
    try:
        yield
    finally:
        over.set()


def _attempt(service: Service, run: RunView) -> None:
    # What is written when the process is told to end: such exceptions pass all handlers below.
    state = RunState.INTERRUPTED
    values: dict[str, Any] = {"error": "The process was stopped. What was written was kept; run it again."}
    try:
        progress = Progress(service.store, run.id, service.clock, tries=run.tries)
        result = _WORK[run.kind](service, run, progress)
        state, values = RunState.DONE, {"result": result, "error": "", "message": progress.closing}
    except Cancelled as error:
        state, values = RunState.CANCELLED, {"error": str(error)}
    except W365Error as error:
        _log.warning("run %d failed: %s %s", run.id, error.what, error.detail)
        state, values = RunState.FAILED, {"error": str(error)}
    except Exception:  # noqa: BLE001 - the job runner's last resort: detail to the log, a reference to the person
        reference = uuid.uuid4().hex[:8]
        _log.exception("run %d failed, reference %s", run.id, reference)
        told = f"The run failed for a reason nobody foresaw (reference {reference}). What was written before was kept."
        state, values = RunState.FAILED, {"error": told}
    finally:
        with service.store.write() as connection:
            end_run(connection, run.id, state, service.clock(), tries=run.tries, **values)


def _ask_for_match(service: Service, run: RunView) -> int | None:
    """Ask for a match of what a sync changed, and for one more of what changed while a match ran."""
    with service.store.read() as connection:
        is_touched = is_any_touched(connection)
        is_syncing = is_any_running(connection, but=_CHANGES_NOTHING)
    is_done = run.state is RunState.DONE
    # A match that failed or was stopped is not tried again at once: it would do the same for ever.
    is_needed = is_done and is_touched and not is_syncing if run.kind is RunKind.MATCH else is_done or is_touched
    if not is_needed or run.is_active or run.state is RunState.INTERRUPTED:  # active: another process has taken it up
        return None
    with suppress(AlreadyRunning):
        return request_match(service, Actor(run.actor, Role.ADMIN))
    return None


_UNDER_WAY: dict[int, int] = {}
"""Runs that threads of this process work on, with the number of the try."""


# --- the worker ---


def work(service: Service, *, parent: int | None = None) -> None:
    """Work on runs until SIGINT or SIGTERM, or until the process `parent` is gone.

    SIGINT lets what is under way end first; with SIGTERM, or a second SIGINT, it is interrupted.
    """
    share_arenas()
    signals: list[int] = []
    for expected in (signal.SIGINT, signal.SIGTERM):
        signal.signal(expected, lambda number, _frame: signals.append(number))
    join_processes(service, ProcessKind.WORKER)
    over, watch, takers = threading.Event(), Watch(), Takers(service)
    release(service, watch)
    sweep(service)
    _begin(_keep_doing, "release lost runs", over, LOOK_SECONDS, partial(release, service, watch))
    _begin(_keep_doing, "sweep", over, SWEEP_SECONDS, partial(sweep, service))
    _begin(_keep_doing, "tell what ended", over, SWEEP_SECONDS, partial(tell_ended, service))
    _begin(_keep_doing, "remove what was kept long enough", over, RETENTION_SECONDS, partial(keep_removing, service))
    _begin(_keep_doing, "look for what to write back", over, WATCH_SECONDS, DueWatch(service).look)
    _begin(_keep_doing, "take runs", over, POLL_SECONDS, takers.take)
    # A process whose parent is gone has another one.
    while not signals and (parent is None or os.getppid() == parent):
        time.sleep(POLL_SECONDS)
    over.set()
    while signals == [signal.SIGINT] and takers.is_any_busy():
        time.sleep(POLL_SECONDS)
    _interrupt(service)


def sweep(service: Service) -> None:
    """Say that this worker lives, and do what the time asks for. Nothing here waits for another machine."""
    say_alive(service, ProcessKind.WORKER)
    return_parked(service)
    start_due(service, note_to_tell)
    forget_old_uploads(service)
    forget_old_files(service)


class Takers:
    """The threads of a worker that do a run each, so many of a lane as it is wide."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._busy: dict[threading.Thread, RunKind] = {}

    def take(self) -> None:
        """Begin every run that waits and has a place."""
        while run := _claim_next(self._service, self._kinds_with_place()):
            self._busy[_begin(_try, f"do run {run.id}", partial(_do, self._service, run))] = run.kind

    def is_any_busy(self) -> bool:
        return any(thread.is_alive() for thread in tuple(self._busy))

    def _kinds_with_place(self) -> list[RunKind]:
        self._busy = {thread: kind for thread, kind in self._busy.items() if thread.is_alive()}
        return [kind for lane, width in _LANES.items() if self._count(lane) < width for kind in lane]

    def _count(self, lane: Collection[RunKind]) -> int:
        return sum(kind in lane for kind in self._busy.values())


def _do(service: Service, run: RunView) -> None:
    try:
        _carry_out(service, run)
    except StoreError as error:
        # Its end could not be written: without signs it is lost, and goes on. It asks once, so no outage ends with it.
        _log.warning("could not end run %d: %s %s", run.id, error, error.detail)


def _begin(loop: Callable[..., None], name: str, *arguments: object) -> threading.Thread:
    # A daemon: it may sit in a call of minutes, and the end of the process does not wait for that.
    thread = threading.Thread(target=loop, args=(name, *arguments), name=name, daemon=True)
    thread.start()
    return thread


def _keep_doing(name: str, over: threading.Event, seconds: float, task: Callable[[], object]) -> None:
    while not over.wait(seconds):
        _try(name, task)


def _claim_next(service: Service, kinds: Collection[RunKind] = tuple(RunKind)) -> RunView | None:
    """Claim the run that waits longest, of those of these kinds; None where another was first."""
    with service.store.read() as connection:
        run_id = next_queued(connection, kinds)
    return None if run_id is None else _claim(service, run_id)


def _try(name: str, task: Callable[[], T]) -> T | None:
    """Do it; what goes wrong is logged, and the worker goes on."""
    try:
        answer = task()
    except StoreError as error:
        if _OUTAGE.begins(name):
            _log.warning("the database fails, and is tried until it answers: %s %s", error, error.detail)
    except W365Error as error:
        _log.warning("could not %s: %s %s", name, error, error.detail)
    except Exception:  # noqa: BLE001 - likewise: whatever it is, the worker must look again
        _log.exception("could not %s", name)
    else:
        if _OUTAGE.ends(name):
            _log.warning("the database answers again")
        return answer
    return None


_OUTAGE = Outage()


def _interrupt(service: Service) -> None:
    told = "The worker was stopped. What was written was kept; the next run goes on there."
    with service.store.write() as connection:
        for run_id, tries in tuple(_UNDER_WAY.items()):  # its threads are still at it
            end_run(connection, run_id, RunState.INTERRUPTED, service.clock(), tries=tries, error=told)
