"""Carry mappings to the CRM's own table: after each decision by itself, or all at once.

Nothing that somebody else wrote there is overwritten: such a row is left and waits for a person's choice.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace

from w365.crm.mappings import MappingTable
from w365.errors import InputError, SourceRefused, SourceUnreachable
from w365.model import Actor, Role, RunKind
from w365.service import Service
from w365.service.access import needs
from w365.service.writeback.place import need_place
from w365.store.db.engine import Connection
from w365.store.run_counts import Count, Counts
from w365.store.runs import Progress, RunView, request_run
from w365.store.writeback import remote_mappings
from w365.store.writeback.due_mappings import (
    Due,
    WriteState,
    Written,
    accept_overwriting,
    pause_after,
    put_written,
    read_due,
    try_again,
)
from w365.store.writeback.runs import TARGET

_PART, _AT_ONCE = 20, 4


@needs(Role.ANALYST)
def request_writeback(service: Service, actor: Actor) -> int:
    """Queue a run that writes all that is due, and once more what failed; return its id."""
    need_place(service)
    with service.store.write() as connection:
        at = service.clock()
        run_id = request_run(connection, RunKind.WRITEBACK, TARGET, actor.name, at)
        try_again(connection, at)
        return run_id


@needs(Role.ANALYST)
def write_again(service: Service, actor: Actor, provider_account_id: int) -> bool:
    """Make a failed write due at once; False when it had not failed."""
    with service.store.write() as connection:
        return try_again(connection, service.clock(), provider_account_id) > 0


@needs(Role.ANALYST)
def overwrite_rows(service: Service, actor: Actor, provider_account_ids: list[int]) -> int:
    """Let our mapping replace the account that the CRM was seen to say; return how many rows are due now."""
    place = need_place(service)
    with service.store.write() as connection:
        by_provider = bool(place.provider_column)
        there = remote_mappings.read_accounts_there(connection, provider_account_ids, by_provider=by_provider)
        return accept_overwriting(connection, str(place), service.clock(), there)


def run_writeback(service: Service, run: RunView, progress: Progress) -> Counts:
    """Write what is due, some rows at a time; what one row is refused for is kept with it, and the rest goes on.

    Raises what keeps all rows from being written (SourceError, AccessError, ConfigurationError); those stay due.
    """
    place = need_place(service)
    counts: Counts = Counter(dict.fromkeys((Count.WRITTEN, Count.FAILED, Count.DIFFERS), 0))
    at, after = service.clock(), 0
    with service.open_crm(progress.beat) as crm, ThreadPoolExecutor(_AT_ONCE) as pool:
        table = crm.mappings(place)
        while part := _read_part(service, str(place), at, after):
            progress.check()
            after = part[-1].provider_account_id
            attempts = {due: pool.submit(_write, service, table, due) for due in part}
            wait(attempts.values())
            written, errors = _read_outcomes(service, attempts)
            counts.update(Count(outcome.state) for outcome in written.values())
            with service.store.write() as connection:
                _keep(connection, str(place), written)
                result, done = {**run.result, **counts}, counts.total()
                progress.report(connection, done=done, message="Writing to Dataverse", result=result)
            if errors:
                raise errors[0]
    return counts


def _keep(connection: Connection, place: str, written: Mapping[Due, Written]) -> None:
    """Keep how the writes ended, and what the table says by them."""
    put_written(connection, place, list(written.values()))
    rows = [
        remote_mappings.Remote(outcome.remote_id, due.specific_id, due.provider, outcome.there)
        for due, outcome in written.items()
        if outcome.remote_id
    ]
    remote_mappings.note_remote(connection, rows)


def _read_outcomes(
    service: Service, attempts: Mapping[Due, Future[Written]]
) -> tuple[dict[Due, Written], list[BaseException]]:
    """How the rows ended, and what kept the others from being written for a reason that concerns all of them.

    Where some could be written, what the CRM had no good answer to is the matter of its row: else it would keep those
    behind it waiting for ever.
    """
    written = {due: attempt.result() for due, attempt in attempts.items() if attempt.exception() is None}
    errors = {due: error for due, attempt in attempts.items() if (error := attempt.exception()) is not None}
    unanswered = {due: error for due, error in errors.items() if isinstance(error, SourceUnreachable)}
    if not written or len(unanswered) < len(errors):
        return written, list(errors.values())
    failed = {due: _failed(service, due, f"{error.what} {error.do}".strip()) for due, error in unanswered.items()}
    return written | failed, []


def _read_part(service: Service, place: str, at: dt.datetime, after: int) -> list[Due]:
    with service.store.read() as connection:
        return read_due(connection, place, at, after=after, limit=_PART)


def _write(service: Service, table: MappingTable, due: Due) -> Written:
    """Write one row; a refusal that concerns this row only is its result."""
    if due.is_deleted:
        return _failed(service, due, "The account was deleted in the CRM. Map the row to another one.")
    try:
        remote = table.put(due.specific_id, due.provider, due.account, frozenset({due.there} - {""}))
    except (InputError, SourceRefused) as error:
        return _failed(service, due, f"{error.what} {error.do}".strip())
    outcome = Written(
        due.provider_account_id,
        due.account_id,
        WriteState.WRITTEN,
        there=remote.account if remote else "",
        remote_id=remote.row_id if remote else "",
    )
    if outcome.there != due.account:
        return replace(outcome, state=WriteState.DIFFERS, error="The CRM says another account.")
    return replace(outcome, written_at=service.clock())


def _failed(service: Service, due: Due, why: str) -> Written:
    attempts = due.attempts + 1
    pause = pause_after(attempts)
    again = None if pause is None else service.clock() + pause
    return Written(due.provider_account_id, due.account_id, WriteState.FAILED, attempts, why, again, there=due.there)
