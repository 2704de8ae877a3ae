"""Background runs: the run's row is the truth, huey merely wakes a worker and carries its id.

The worker is a process of its own (`python -m w365 worker`), so that pages stay quick while a sync parses. The app
starts one beside itself; with PostgreSQL there may be as many as wanted, anywhere.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from huey import Huey, PostgresHuey, SqliteHuey, crontab
from huey.registry import Message
from huey.serializer import Serializer

from w365.errors import AlreadyRunning, Cancelled, StoreError, W365Error
from w365.memory import return_memory, share_arenas
from w365.model import Actor, Role, RunKind, RunState
from w365.service import Service
from w365.service.deciding.bulk_run import run_plan
from w365.service.deciding.parking import return_parked
from w365.service.matching.run import run_match
from w365.service.syncing.crm import run_crm_sync
from w365.service.syncing.customers import run_sync
from w365.service.syncing.runs import request_match
from w365.service.syncing.scheduler import start_due
from w365.service.telling.notices import note_to_tell, tell_ended
from w365.service.writeback.compare import run_compare
from w365.service.writeback.watch import DueWatch
from w365.service.writeback.write import run_writeback
from w365.store.onboarding.expected_customers import map_expected
from w365.store.runs import (
    LEASE,
    Progress,
    RunView,
    claim_run,
    end_run,
    get_run,
    keep_alive,
    queued_runs,
    release_dead_runs,
)
from w365.store.tables import Run, Touched

_log = logging.getLogger(__name__)

_WORK: dict[RunKind, Callable[[Service, RunView, Progress], dict[str, int]]] = {
    RunKind.SYNC: run_sync,
    RunKind.CRM_SYNC: run_crm_sync,
    RunKind.MATCH: partial(run_match, map_first=map_expected),
    RunKind.BULK: run_plan,
    RunKind.UNDO: run_plan,
    RunKind.WRITEBACK: run_writeback,
    RunKind.COMPARE: run_compare,
}
_CHANGES_NOTHING = (RunKind.WRITEBACK, RunKind.COMPARE)
_NEEDS_NO_MATCH = (RunKind.BULK, RunKind.UNDO, *_CHANGES_NOTHING)
_LOOK_SECONDS = 2.0
BEAT_SECONDS = LEASE.total_seconds() / 4


def execute(service: Service, run_id: int) -> RunView:
    """Do a queued run to its end and record how it ended; one that somebody else has is only looked at.

    A sync is followed by a match; what people decided is not.
    """
    with service.store.write() as connection:
        run = claim_run(connection, run_id, service.clock())
    if run is not None:
        _UNDER_WAY.add(run_id)
        try:
            with _kept_alive(service, run_id):
                _attempt(service, run)
        finally:
            _UNDER_WAY.discard(run_id)
    with service.store.read() as connection:
        ended = get_run(connection, run_id)
    return_memory()  # after a read, with which the database's large cache is given up
    service.store.tidy()
    if run is not None and run.kind not in _NEEDS_NO_MATCH:
        _follow_up(service, ended)
    return ended


@contextmanager
def _kept_alive(service: Service, run_id: int) -> Iterator[None]:
    """Say now and then that this process lives: an answer may take longer than a run is believed to without a sign."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(BEAT_SECONDS):
            # While a match writes nobody else does, and so nobody gives a run up.
            with suppress(StoreError), service.store.write() as connection:
                keep_alive(connection, run_id, service.clock())

    threading.Thread(target=beat, name=f"run {run_id} lives", daemon=True).start()
    try:
        yield
    finally:
        over.set()


def _attempt(service: Service, run: RunView) -> None:
    state = RunState.INTERRUPTED
    values: dict[str, Any] = {"error": "The process was stopped. What was written was kept; run it again."}
    try:
        result = _WORK[run.kind](service, run, Progress(service.store, run.id, service.clock))
        state, values = RunState.DONE, {"result": result, "error": "", "message": ""}
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
            end_run(connection, run.id, state, service.clock(), **values)


_ANY_TOUCHED = sa.select(Touched.provider_account_id).limit(1)
_ANY_RUNNING = sa.select(Run.id).where(Run.state == RunState.RUNNING, Run.kind.not_in(_CHANGES_NOTHING)).limit(1)


def _follow_up(service: Service, run: RunView) -> None:
    """Match what a sync changed, and once more what changed while a match ran."""
    with service.store.read() as connection:
        is_touched = connection.scalar(_ANY_TOUCHED) is not None
        is_syncing = connection.scalar(_ANY_RUNNING) is not None
    is_done = run.state is RunState.DONE
    # A match that failed or was stopped is not tried again at once: it would do the same for ever.
    wanted = is_done and is_touched and not is_syncing if run.kind is RunKind.MATCH else is_done or is_touched
    if wanted and run.state is not RunState.INTERRUPTED:
        try:
            match_id = request_match(service, Actor(run.actor, Role.ADMIN))
        except AlreadyRunning:
            return
        execute(service, match_id)


_UNDER_WAY: set[int] = set()
"""Runs that threads of this process work on."""


# --- the queue ---


class _JsonSerializer(Serializer):  # type: ignore[misc] # huey ships no types
    """Messages as JSON: a queue file that somebody else can write must not run code, as pickle would."""

    def _serialize(self, data: Message) -> bytes:
        return json.dumps(data).encode()

    def _deserialize(self, data: bytes) -> Message:
        return Message(*json.loads(data))


class Queue:
    """Where runs wait for a worker."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.huey = _open_huey(service)
        self._task = self.huey.task(name="execute")(self._execute)

    def enqueue(self, run_id: int) -> None:
        self._task(run_id)

    def sweep(self) -> None:
        """Enqueue what waits without a message, release runs whose process died, do what the time asks for."""
        return_parked(self._service)
        start_due(self._service, note_to_tell)
        with self._service.store.write() as connection:
            release_dead_runs(connection, self._service.clock())
            waiting = queued_runs(connection)
        for run_id in waiting:
            self.enqueue(run_id)
        tell_ended(self._service)

    def _execute(self, run_id: int) -> None:
        execute(self._service, run_id)


def _open_huey(service: Service) -> Huey:
    options: dict[str, Any] = {"results": False, "serializer": _JsonSerializer()}
    if service.store.is_sqlite:
        database = Path(service.store.engine.url.database or "w365.db")
        return SqliteHuey("w365", filename=str(database.with_suffix(".queue.db")), **options)
    url = service.store.engine.url.set(drivername="postgresql")
    return PostgresHuey("w365", dsn=url.render_as_string(hide_password=False), **options)


def work(service: Service, *, parent: int | None = None, workers: int = 2) -> None:
    """Work on runs until a signal ends it, or until the process `parent` is gone."""
    share_arenas()
    queue = Queue(service)
    queue.huey.periodic_task(crontab(minute="*"), name="sweep")(queue.sweep)
    queue.sweep()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    threading.Thread(target=_watch, args=(service, queue), daemon=True).start()
    queue.huey.create_consumer(workers=workers, worker_type="thread", max_delay=0.5).run()
    _interrupt(service)


def _watch(service: Service, queue: Queue) -> None:
    """Ask for a write-back whenever a decision made one due; a database that does not answer is asked again."""
    watch = DueWatch(service)
    while True:
        time.sleep(_LOOK_SECONDS)
        try:
            run_id = watch.look()
        except (W365Error, sa.exc.SQLAlchemyError) as error:
            _log.warning("not looked whether anything is to be written: %s", error)
            continue
        if run_id is not None:
            queue.enqueue(run_id)


def _interrupt(service: Service) -> None:
    told = "The worker was stopped. What was written was kept; the next run goes on there."
    with service.store.write() as connection:
        for run_id in tuple(_UNDER_WAY):  # its threads are still at it
            end_run(connection, run_id, RunState.INTERRUPTED, service.clock(), error=told)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)
