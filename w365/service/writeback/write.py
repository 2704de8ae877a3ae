"""Carry mappings to the CRM's own table: after each decision by itself, or all at once.

Nothing that somebody else wrote there is overwritten: such a row is left and waits for a person's choice.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

import sqlalchemy as sa

from w365.crm.mappings import MappingTable
from w365.crm.tables import MappingPlace, TableColumns
from w365.errors import AlreadyRunning, ConfigurationError, InputError, SourceRefused
from w365.http.wait import never_stop
from w365.model import Actor, Role, RunKind, RunState
from w365.service import Service
from w365.service.access import require
from w365.store import tables as t
from w365.store.configuring.settings import (
    MAPPING_ACCOUNT_COLUMN,
    MAPPING_ID_COLUMN,
    MAPPING_PROVIDER_COLUMN,
    MAPPING_TABLE,
    WRITE_BACK,
    put_settings,
    read_setting,
)
from w365.store.runs import BY_ITSELF, Progress, RunView, request_run
from w365.store.writeback import remote_mappings
from w365.store.writeback.due_mappings import (
    Due,
    WriteState,
    Written,
    accept_overwriting,
    has_due,
    pause_after,
    put_written,
    read_due,
    try_again,
)

TARGET = "mappings"
_PART, _AT_ONCE = 20, 4
_LONGEST_PAUSE = dt.timedelta(hours=1)


# --- where mappings lie in the CRM ---


def read_place(connection: sa.Connection) -> MappingPlace | None:
    """The table that the settings name; None while they name none."""
    names = (MAPPING_TABLE, MAPPING_ID_COLUMN, MAPPING_PROVIDER_COLUMN, MAPPING_ACCOUNT_COLUMN)
    place = MappingPlace(*(read_setting(connection, name) for name in names))
    return place if place.table and place.id_column and place.account_column else None


def need_place(service: Service) -> MappingPlace:
    """Return the table that the settings name; ConfigurationError while they name none."""
    with service.store.read() as connection:
        place = read_place(connection)
    if place is None:
        raise ConfigurationError(
            "No Dataverse table of mappings is named.",
            kept="Nothing was read or written.",
            do="An admin names it on the Configuration page.",
        )
    return place


def is_on(connection: sa.Connection) -> bool:
    return read_setting(connection, WRITE_BACK) == "true"


def list_tables(service: Service, actor: Actor) -> tuple[str, ...]:
    """Ask the CRM which tables it has."""
    require(actor, Role.ADMIN)
    with service.open_crm(never_stop) as crm:
        return crm.metadata().tables()


def list_columns(service: Service, actor: Actor, table: str) -> TableColumns:
    """Ask the CRM which columns of a table can hold what."""
    require(actor, Role.ADMIN)
    with service.open_crm(never_stop) as crm:
        return crm.metadata().columns(table)


def name_place(service: Service, actor: Actor, place: MappingPlace | None, *, write: bool) -> int:
    """Name the table (None: none) after the CRM said that it is so; return how many settings changed."""
    require(actor, Role.ADMIN)
    if place is not None:
        with service.open_crm(never_stop) as crm:
            crm.mappings(place)
    chosen = place or MappingPlace("", "", "", "")
    values: Mapping[str, str] = {
        MAPPING_TABLE: chosen.table,
        MAPPING_ID_COLUMN: chosen.id_column,
        MAPPING_PROVIDER_COLUMN: chosen.provider_column,
        MAPPING_ACCOUNT_COLUMN: chosen.account_column,
        WRITE_BACK: "true" if write and place else "false",
    }
    with service.store.write() as connection:
        return put_settings(connection, actor, service.clock(), values)


# --- asking for it ---


def request_writeback(service: Service, actor: Actor) -> int:
    """Write all that is due now, and once more what failed."""
    require(actor, Role.ANALYST)
    need_place(service)
    with service.store.write() as connection:
        at = service.clock()
        run_id = request_run(connection, RunKind.WRITEBACK, TARGET, actor.name, at)
        try_again(connection, at)
        return run_id


def retry(service: Service, actor: Actor, provider_account_id: int) -> bool:
    """Make a failed write due at once; False when it had not failed."""
    require(actor, Role.ANALYST)
    with service.store.write() as connection:
        return try_again(connection, service.clock(), provider_account_id) > 0


def overwrite(service: Service, actor: Actor, provider_account_ids: list[int]) -> int:
    """Let our mapping replace the account that the CRM was seen to say; return how many rows are due now."""
    require(actor, Role.ANALYST)
    place = need_place(service)
    with service.store.write() as connection:
        by_provider = bool(place.provider_column)
        there = remote_mappings.accounts_there(connection, provider_account_ids, by_provider=by_provider)
        return accept_overwriting(connection, str(place), service.clock(), there)


class DueWatch:
    """Looks whether a decision made a write due, and asks for a run that writes. Cheap while nothing was decided."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._seen: tuple[str, int] | None = None

    def look(self) -> int | None:
        """Return the run that was asked for, if one was."""
        at = self._service.clock()
        with self._service.store.read() as connection:
            place = read_place(connection)
            if place is None or not is_on(connection) or self._is_early(connection, at):
                return None
            now = (str(place), connection.scalar(sa.select(sa.func.max(t.Decision.id))) or 0)
            if now == self._seen and not _has_retry(connection, at):
                return None
            if not has_due(connection, str(place), at):
                self._seen = now
                return None
        return self._request(at)

    def _is_early(self, connection: sa.Connection, at: dt.datetime) -> bool:
        """After a run that could not write at all there is a pause, longer each time."""
        last = _last(connection)
        if last is None or last.state not in {RunState.FAILED, RunState.CANCELLED} or last.ended_at is None:
            return False
        again: dt.datetime = last.ended_at + pause_between(last.result)
        return at < again

    def _request(self, at: dt.datetime) -> int | None:
        run = t.Run
        with self._service.store.write() as connection:
            last = _last(connection)
            failures = int(last.result.get("failures", 0)) + 1 if last and last.state == RunState.FAILED else 0
            try:
                run_id = request_run(connection, RunKind.WRITEBACK, TARGET, BY_ITSELF, at)
            except AlreadyRunning:
                return None
            old = (run.kind == RunKind.WRITEBACK) & (run.actor == BY_ITSELF) & (run.id < run_id)
            connection.execute(sa.delete(t.RunProblem).where(t.RunProblem.run_id.in_(sa.select(run.id).where(old))))
            connection.execute(sa.delete(run).where(old))
            connection.execute(sa.update(run).where(run.id == run_id).values(result={"failures": failures}))
            return run_id


def pause_between(result: Mapping[str, object]) -> dt.timedelta:
    """How long after a run that could not write at all the next one begins by itself."""
    failures = min(int(str(result.get("failures", 0))), 12)
    return min(dt.timedelta(minutes=2**failures), _LONGEST_PAUSE)


def _last(connection: sa.Connection) -> sa.Row[str, dt.datetime | None, dict[str, object]] | None:
    run = t.Run
    query = sa.select(run.state, run.ended_at, run.result).where(run.kind == RunKind.WRITEBACK)
    return connection.execute(query.order_by(run.id.desc()).limit(1)).one_or_none()


def _has_retry(connection: sa.Connection, at: dt.datetime) -> bool:
    back = t.Writeback
    query = sa.select(back.provider_account_id).where(back.state == WriteState.FAILED, back.next_at <= at).limit(1)
    return connection.scalar(query) is not None


# --- doing it ---


def run_writeback(service: Service, run: RunView, progress: Progress) -> dict[str, int]:
    """Write what is due, some rows at a time; what one row is refused for is kept with it, and the rest goes on.

    Raises what keeps all rows from being written (SourceError, AccessError, ConfigurationError); those stay due.
    """
    place = need_place(service)
    counts: Counter[str] = Counter(written=0, failed=0, differs=0)
    at, after = service.clock(), 0
    with service.open_crm(progress.beat) as crm, ThreadPoolExecutor(_AT_ONCE) as pool:
        table = crm.mappings(place)
        while part := _read_part(service, str(place), at, after):
            progress.check()
            after = part[-1].provider_account_id
            tries = [pool.submit(_write, service, table, due) for due in part]
            wait(tries)
            written = {due: one.result() for due, one in zip(part, tries, strict=True) if one.exception() is None}
            counts.update(one.state.value for one in written.values())
            with service.store.write() as connection:
                put_written(connection, str(place), list(written.values()))
                remote_mappings.note(connection, [_as_remote(one, due) for due, one in written.items()])
                result, done = {**run.result, **counts}, counts.total()
                progress.report(connection, done=done, message="Writing to Dataverse", result=result)
            _raise_first(tries)
    return dict(counts)


def _raise_first(tries: Sequence[Future[Written]]) -> None:
    """Raise what kept a row from being written for a reason that concerns all of them."""
    error = next((one.exception() for one in tries if one.exception()), None)
    if error is not None:
        raise error


def _read_part(service: Service, place: str, at: dt.datetime, after: int) -> list[Due]:
    with service.store.read() as connection:
        return read_due(connection, place, at, after=after, limit=_PART)


def _write(service: Service, table: MappingTable, due: Due) -> Written:
    """Write one row; a refusal that concerns this row only is its result."""
    if due.is_deleted:
        return _failed(service, due, "The account was deleted in the CRM. Map the row to another one.")
    try:
        found = table.put(due.specific_id, due.provider, due.account, frozenset({due.there} - {""}))
    except (InputError, SourceRefused) as error:
        return _failed(service, due, f"{error.what} {error.do}".strip())
    account = found.account if found else ""
    if account != due.account:
        told = "The CRM says another account."
        return Written(
            due.provider_account_id,
            due.account_id,
            WriteState.DIFFERS,
            error=told,
            there=account,
            remote_id=found.row_id if found else "",
        )
    return Written(
        due.provider_account_id,
        due.account_id,
        WriteState.WRITTEN,
        written_at=service.clock(),
        there=account,
        remote_id=found.row_id if found else "",
    )


def _failed(service: Service, due: Due, told: str) -> Written:
    attempts = due.attempts + 1
    pause = pause_after(attempts)
    again = None if pause is None else service.clock() + pause
    return Written(due.provider_account_id, due.account_id, WriteState.FAILED, attempts, told, again, there=due.there)


def _as_remote(written: Written, due: Due) -> remote_mappings.Remote | None:
    if not written.remote_id:
        return None
    return remote_mappings.Remote(written.remote_id, due.specific_id, due.provider, written.there)
