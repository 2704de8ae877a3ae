"""Runs: a row for each sync, match or change of many rows, the only truth about it. Workers take what is queued."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from w365.errors import AlreadyRunning, Cancelled, NotFound
from w365.model import RunKind, RunState
from w365.process_names import is_alive, name_process
from w365.source_records import Rejected
from w365.store.db.bulk_insert import upsert
from w365.store.db.engine import Store
from w365.store.lost_runs import CANCELLED_LATE, give_up_lost
from w365.store.run_counts import GAPS, Counts, read_counts
from w365.store.tables import ACTIVE_RUNS, Run, RunProblem, RunSeen

RESUMABLE = dt.timedelta(hours=1)
"""A cursor older than this is not continued: what its run read before would count as read now."""

_BEAT, _NOT_AT_ALL = dt.timedelta(seconds=1), dt.timedelta()

CRM = "crm"
"""The target of what concerns the CRM: its syncs, its connection and its schedule. A provider's is its name or id."""

SCHEDULE = "schedule"
"""The actor of the syncs that start by themselves, and of the matches that follow them."""

BY_ITSELF = "write-back"
"""Whom the record names for a write-back that a decision made due."""

ACTIVE = (RunState.QUEUED, RunState.RUNNING)

Clock = Callable[[], dt.datetime]


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as people see it. `done` and `total` count records; `total` is None while nobody knows it.

    `tries` tells the processes apart that took it up, one after another: only the last may write.
    """

    id: int
    kind: RunKind
    target: str
    state: RunState
    actor: str
    requested_at: dt.datetime
    started_at: dt.datetime | None
    ended_at: dt.datetime | None
    done: int
    total: int | None
    message: str
    result: Counts
    error: str
    cancel_requested: bool
    cursor: str | None
    wants_full: bool = False
    tries: int = 1
    cancel_by: str = ""
    cancel_at: dt.datetime | None = None

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE

    @property
    def has_gaps(self) -> bool:
        """Whether it is done, but without all that it was to read."""
        return self.state is RunState.DONE and any(self.result[count] for count in GAPS)

    def rate(self, at: dt.datetime) -> float:
        """Records a second since the start; 0 when it has not begun."""
        seconds = ((self.ended_at or at) - self.started_at).total_seconds() if self.started_at else 0.0
        return self.done / seconds if seconds > 0 else 0.0


def request_run(
    connection: sa.Connection, kind: RunKind, target: str, actor: str, at: dt.datetime, *, wants_full: bool = False
) -> int:
    """Queue a run, continuing at the cursor where the last one of its kind and target stopped early a short time ago.

    Raises AlreadyRunning naming who started the one under way, and since when.
    """
    give_up_lost(connection, kind, target, at)
    asked = {"of_kind": kind, "of_target": target}
    if active := connection.execute(_UNDER_WAY, asked).one_or_none():
        raise _already(active)
    last = connection.execute(_LAST, asked).one_or_none()
    values: dict[str, Any] = {"result": {}}
    goes_on = bool(last and last.cursor and last.heartbeat_at and last.heartbeat_at > at - RESUMABLE)
    if last and goes_on:
        values = {"cursor": last.cursor, "done": last.done, "total": last.total, "result": last.result}
    values |= {"kind": kind, "target": target, "state": RunState.QUEUED, "actor": actor}
    values |= {"requested_at": at, "wants_full": wants_full}
    run_id = int(connection.execute(_QUEUE, values).scalar_one())
    if last:
        _inherit(connection, last.id, run_id) if goes_on else _forget(connection, last.id)
    return run_id


def _already(active: sa.Row[int, str, str, dt.datetime]) -> AlreadyRunning:
    error = AlreadyRunning(
        f"This is running already: started by {active.actor} at {active.requested_at:%H:%M} UTC.",
        kept="It goes on undisturbed.",
        do=f"Wait for it, or cancel it first (run {active.id}).",
    )
    error.waiting = active.id if active.state == RunState.QUEUED else None
    return error


def _inherit(connection: sa.Connection, old: int, new: int) -> None:
    """What the old run met and could not use counts in the result of the one that continues it."""
    for table in (RunSeen, RunProblem):
        connection.execute(sa.update(table).where(table.run_id == old).values(run_id=new))


def _forget(connection: sa.Connection, run_id: int) -> None:
    connection.execute(_FORGET, {"the_run": run_id})


def see(connection: sa.Connection, run_id: int, subject: str, record_ids: Iterable[str]) -> None:
    """Note that the run met these records."""
    rows = [(run_id, subject, record_id) for record_id in record_ids]
    upsert(connection, RunSeen, ("run_id", "subject", "record_id"), rows)


def has_seen(subject: str, record_id: sa.SQLColumnExpression[str]) -> sa.ColumnElement[bool]:
    """Whether the `run` that is given with the statement met a record."""
    is_run = RunSeen.run_id == sa.bindparam("run")
    return sa.exists().where(is_run, RunSeen.subject == subject, RunSeen.record_id == record_id)


def start_over(connection: sa.Connection, run_id: int) -> None:
    """Forget what the run has seen and counted, to begin again at the first page."""
    _forget(connection, run_id)
    connection.execute(sa.delete(RunProblem).where(RunProblem.run_id == run_id))
    connection.execute(sa.update(Run).where(Run.id == run_id).values(cursor=None, done=0, result={}))


def keep_alive(connection: sa.Connection, run: RunView, at: dt.datetime) -> None:
    """Say that the process of a running run lives."""
    connection.execute(_OF_TRY, {"the_run": run.id, "of_try": run.tries, "heartbeat_at": at})


def claim_run(connection: sa.Connection, run_id: int, at: dt.datetime) -> RunView | None:
    """Take a queued run to work on; None when somebody else has it, or it was cancelled before it began.

    A sync that another process began goes on at its page, or begins anew where there is none or it is too old.
    """
    values = {"state": RunState.RUNNING, "started_at": at, "heartbeat_at": at, "holder": name_process()}
    before = connection.execute(_BEFORE, {"the_run": run_id}).one_or_none()
    claimed = connection.execute(_CLAIM, {"the_run": run_id, "was": RunState.QUEUED, **values})
    if not before or not claimed.rowcount:
        return None
    is_sync = before.kind in (RunKind.SYNC, RunKind.CRM_SYNC)
    if is_sync and before.tries and not (before.cursor and before.heartbeat_at > at - RESUMABLE):
        start_over(connection, run_id)
    return get_run(connection, run_id)


def cancel_run(connection: sa.Connection, run_id: int, at: dt.datetime, by: str = "") -> None:
    """End a run that waits, or whose process ended; one under way is asked to stop, and does so at its next look."""
    asked: dict[str, Any] = {"cancel_requested": True, "cancel_by": by, "cancel_at": at}
    ended = {"state": RunState.CANCELLED, "ended_at": at}
    connection.execute(_IN_STATE, {"the_run": run_id, "was": RunState.QUEUED, **ended, **asked})
    if is_alive(connection.scalar(sa.select(Run.holder).where(_IS_RUN), {"the_run": run_id}) or "") is False:
        asked |= {**ended, "error": CANCELLED_LATE, "message": ""}
    connection.execute(_TO_CANCEL, {"the_run": run_id, **asked})


def end_run(
    connection: sa.Connection,
    run_id: int,
    state: RunState,
    at: dt.datetime,
    *,
    was: RunState = RunState.RUNNING,
    tries: int | None = None,
    **values: Any,
) -> bool:
    """Close a run that is in the state `was`; False where it was released meanwhile, and stays as it is.

    With `tries` also one that another process took up since stays. Its cursor stays unless it is done: an interrupted
    one can be continued. What it said while it ran is over.
    """
    cursor = {"cursor": None} if state is RunState.DONE else {}
    values = {"message": "", **values, **cursor, "state": state, "ended_at": at, "heartbeat_at": at}
    mine = _IN_STATE if tries is None else _IN_STATE.where(Run.tries == tries)
    is_ended = connection.execute(mine, {"the_run": run_id, "was": was, **values}).rowcount > 0
    if is_ended and state is RunState.DONE:
        _forget(connection, run_id)
    return is_ended


def add_problems(connection: sa.Connection, run_id: int, problems: Sequence[Rejected]) -> None:
    if problems:
        rows = [{"run_id": run_id, "record_id": problem.record_id, "why": problem.why} for problem in problems]
        connection.execute(sa.insert(RunProblem), rows)


def problems_of(connection: sa.Connection, run_id: int, limit: int = 500) -> list[Rejected]:
    query = sa.select(RunProblem.record_id, RunProblem.why).where(RunProblem.run_id == run_id).order_by(RunProblem.id)
    return [Rejected(row.record_id, row.why) for row in connection.execute(query.limit(limit))]


def get_run(connection: sa.Connection, run_id: int) -> RunView:
    """Read a run; NotFound when there is none."""
    row = connection.execute(_ONE, {"the_run": run_id}).mappings().one_or_none()
    if row is None:
        raise NotFound(f"There is no run {run_id}.")
    return _view(row)


def latest_run(
    connection: sa.Connection, kind: RunKind, target: str, *, state: RunState | None = None
) -> RunView | None:
    query = _LATEST if state is None else _LATEST_IN_STATE
    asked = {"of_kind": kind, "of_target": target} | ({} if state is None else {"in_state": state})
    row = connection.execute(query, asked).mappings().one_or_none()
    return _view(row) if row else None


def recent_runs(connection: sa.Connection, limit: int) -> list[RunView]:
    """The latest runs, but for those that carry decisions to the CRM by themselves: there would be one a decision."""
    return [_view(row) for row in connection.execute(_RECENT, {"most": limit}).mappings()]


class Progress:
    """What a run reports to while it works: counts, a heartbeat, and the question whether a person cancelled it.

    `report` belongs into the transaction that wrote the page, so that cursor and data agree after a crash. `explain`
    says why a source makes us wait, or returns an empty text. `closing` is what stays said of a run that is done.
    """

    def __init__(self, store: Store, run_id: int, clock: Clock = now, *, tries: int = 1) -> None:
        self._store, self.run_id, self._clock, self._tries = store, run_id, clock, tries
        self._last_beat = clock()
        self._is_explained = False
        self.explain: Callable[[], str] = str
        self.closing = ""

    def report(self, connection: sa.Connection, **values: Any) -> None:
        """Write counts, cursor or message, and that the process lives.

        Raises Cancelled when the run was released as dead, as after a night's sleep of the machine: another run may
        have taken over what this one had met.
        """
        values["heartbeat_at"] = self._clock()
        if not connection.execute(_OF_TRY, {"the_run": self.run_id, "of_try": self._tries, **values}).rowcount:
            raise Cancelled("The run had been given up as dead.", kept="The pages written so far were kept.")

    def say(self, message: str) -> None:
        with self._store.write() as connection:
            self.report(connection, message=message)

    def beat(self) -> None:
        """Tell now and then that the process lives and why it waits; raise Cancelled when a person asked for it."""
        if _NOT_AT_ALL <= self._clock() - self._last_beat < _BEAT:  # below: the clock was set back
            return
        self._last_beat = self._clock()
        self.check()
        with self._store.write() as connection:
            why = self.explain()
            # A wait that is over is no longer the reason for anything.
            self.report(connection, **({"message": why} if why or self._is_explained else {}))
        self._is_explained = bool(why)

    def check(self) -> None:
        """Raise Cancelled when a person asked for it."""
        with self._store.read() as connection:
            if connection.scalar(_IS_CANCELLED, {"the_run": self.run_id}):
                raise Cancelled(
                    "The run was cancelled.", kept="The pages written so far were kept.", do="Start it again any time."
                )


_VIEW = (
    Run.id,
    Run.kind,
    Run.target,
    Run.state,
    Run.actor,
    Run.requested_at,
    Run.started_at,
    Run.ended_at,
    Run.done,
    Run.total,
    Run.message,
    Run.result,
    Run.error,
    Run.cancel_requested,
    Run.cursor,
    Run.wants_full,
    Run.tries,
    Run.cancel_by,
    Run.cancel_at,
)
_IS_RUN = Run.id == sa.bindparam("the_run")
_OF_TARGET = (Run.kind == sa.bindparam("of_kind"), Run.target == sa.bindparam("of_target"))
_ONE = sa.select(*_VIEW).where(_IS_RUN)
_LATEST = sa.select(*_VIEW).where(*_OF_TARGET).order_by(Run.id.desc()).limit(1)
_LATEST_IN_STATE = _LATEST.where(Run.state == sa.bindparam("in_state"))
_LAST = _LATEST.with_only_columns(Run.id, Run.cursor, Run.done, Run.total, Run.result, Run.heartbeat_at)
_BY_ITSELF = sa.and_(Run.kind == RunKind.WRITEBACK, Run.actor == BY_ITSELF)
_RECENT = sa.select(*_VIEW).where(~_BY_ITSELF).order_by(Run.id.desc()).limit(sa.bindparam("most", type_=sa.Integer))
_UNDER_WAY = sa.select(Run.id, Run.state, Run.actor, Run.requested_at).where(*_OF_TARGET, Run.state.in_(ACTIVE))
_IS_ACTIVE = sa.text(ACTIVE_RUNS)
_QUEUE = sa.insert(Run).returning(Run.id)
_IS_CANCELLED = sa.select(Run.cancel_requested).where(_IS_RUN)
_IN_STATE = sa.update(Run).where(_IS_RUN, Run.state == sa.bindparam("was"))
"""Sets what else is given with it, as do those that follow."""
_OF_TRY = sa.update(Run).where(_IS_RUN, Run.state == RunState.RUNNING, Run.tries == sa.bindparam("of_try"))
_BEFORE = sa.select(Run.kind, Run.tries, Run.cursor, Run.heartbeat_at).where(_IS_RUN)
_CLAIM = _IN_STATE.values(tries=Run.tries + 1, message="")
_TO_CANCEL = sa.update(Run).where(_IS_RUN, Run.state == RunState.RUNNING, ~Run.cancel_requested)
_FORGET = sa.delete(RunSeen).where(RunSeen.run_id == sa.bindparam("the_run"))


def _view(row: sa.RowMapping) -> RunView:
    read = {"kind": RunKind(row["kind"]), "state": RunState(row["state"]), "result": read_counts(row["result"])}
    return RunView(**{**dict(row), **read})
