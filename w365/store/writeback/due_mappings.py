"""What is due to be written to the CRM: derived by comparing mappings with what was written, whoever decided and how.

A decision made anywhere (grid, record, bulk, undo, match, import) changes `mapping`; the row of `writeback` that no
longer fits makes it due. What was never mapped since the table was named is never cleared there.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from w365.store import tables as t
from w365.store.db.bulk_insert import upsert

MOST_ATTEMPTS = 8


class WriteState(enum.StrEnum):
    """WAITING is derived and never stored; DIFFERS: the CRM says another account, and a person must choose."""

    WAITING = "waiting"
    WRITTEN = "written"
    FAILED = "failed"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True)
class Due:
    """A mapping to be written. `account` is the account's GUID (empty: none); `there` what the CRM had."""

    provider_account_id: int
    specific_id: str
    provider: str
    account_id: int | None
    account: str
    is_deleted: bool
    there: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Written:
    """How writing one went."""

    provider_account_id: int
    account_id: int | None
    state: WriteState
    attempts: int = 0
    error: str = ""
    next_at: dt.datetime | None = None
    written_at: dt.datetime | None = None
    there: str = ""
    remote_id: str = ""


def pause_after(attempts: int) -> dt.timedelta | None:
    """How long a failed write waits: a minute, then twice as long each time, at most a day; None: for a person."""
    if attempts >= MOST_ATTEMPTS:
        return None
    return min(dt.timedelta(minutes=2 ** (attempts - 1)), dt.timedelta(days=1))


def read_due(connection: sa.Connection, place: str, at: dt.datetime, *, after: int = 0, limit: int = 100) -> list[Due]:
    """Read what is due, in the order of the rows' ids."""
    pa, mapping, account, back = t.ProviderAccount, t.Mapping, t.Account, t.Writeback
    attempts = sa.func.coalesce(back.attempts, 0)
    query = (
        sa.select(
            pa.id,
            pa.specific_id,
            t.Provider.name,
            mapping.account_id,
            sa.func.coalesce(account.crm_id, ""),
            sa.func.coalesce(account.is_deleted, sa.false()),
            # what the CRM says against us is not to be overwritten by the next decision either
            sa.case((back.state == WriteState.DIFFERS, ""), else_=sa.func.coalesce(back.there, "")),
            # a new decision starts counting anew
            sa.case((back.account_id.is_not_distinct_from(mapping.account_id), attempts), else_=0),
        )
        .select_from(join_sides(place))
        .join(t.Provider, t.Provider.id == pa.provider_id)
        .outerjoin(account, account.id == mapping.account_id)
        .where(_is_due(at), pa.id > after)
        .order_by(pa.id)
        .limit(limit)
    )
    return [Due(*row) for row in connection.execute(query)]


def has_due(connection: sa.Connection, place: str, at: dt.datetime) -> bool:
    query = sa.select(t.ProviderAccount.id).select_from(join_sides(place)).where(_is_due(at)).limit(1)
    return connection.scalar(query) is not None


def has_retry(connection: sa.Connection, at: dt.datetime) -> bool:
    """Whether the pause of a failed write is over, whatever was decided since."""
    back = t.Writeback
    query = sa.select(back.provider_account_id).where(back.state == WriteState.FAILED, back.next_at <= at).limit(1)
    return connection.scalar(query) is not None


def count_states(connection: sa.Connection, place: str) -> dict[WriteState, int]:
    """Count rows by how their write stands."""
    stands = state_of()
    query = sa.select(stands, sa.func.count()).select_from(join_sides(place)).where(is_concerned()).group_by(stands)
    counts = {WriteState(row[0]): int(row[1]) for row in connection.execute(query)}
    return {state: counts.get(state, 0) for state in WriteState}


def state_of() -> sa.ColumnElement[str]:
    """How a row's write stands, beside `join_sides`: what the stored row says while it is about the present mapping.

    A failure without an attempt is one that a person asked for again.
    """
    back, mapping = t.Writeback, t.Mapping
    is_current = back.account_id.is_not_distinct_from(mapping.account_id)
    return sa.case(
        (sa.and_(back.state == WriteState.FAILED, back.attempts == 0), sa.literal(WriteState.WAITING.value)),
        (sa.and_(back.provider_account_id.is_not(None), is_current), back.state),
        else_=sa.literal(WriteState.WAITING.value),
    )


def put_written(connection: sa.Connection, place: str, rows: Sequence[Written]) -> None:
    """Keep how these writes ended, in the place of what was kept of their rows before."""
    columns = (*Written.__dataclass_fields__, "place")
    values = [asdict(written) | {"state": written.state.value, "place": place} for written in rows]
    upsert(connection, t.Writeback, columns, [tuple(row.values()) for row in values])


def try_again(connection: sa.Connection, at: dt.datetime, provider_account_id: int | None = None) -> int:
    """Make failed writes due at once; return how many there were."""
    failed = sa.update(t.Writeback).where(t.Writeback.state == WriteState.FAILED)
    if provider_account_id is not None:
        failed = failed.where(t.Writeback.provider_account_id == provider_account_id)
    return connection.execute(failed.values(next_at=at, attempts=0)).rowcount


def accept_overwriting(connection: sa.Connection, place: str, at: dt.datetime, there: Mapping[int, str]) -> int:
    """Make rows due whose account in the CRM a person chose to overwrite: just the one that was seen there."""
    query = sa.select(t.Mapping.provider_account_id, t.Mapping.account_id)
    ours = {row[0]: row[1] for row in connection.execute(query.where(t.Mapping.provider_account_id.in_(there)))}
    rows = [Written(row, ours.get(row), WriteState.FAILED, next_at=at, there=seen) for row, seen in there.items()]
    put_written(connection, place, rows)
    return len(rows)


def join_sides(place: str) -> sa.Join:
    """Provider accounts with their mapping and what was written of it in this place, both outer."""
    pa, mapping, back = t.ProviderAccount, t.Mapping, t.Writeback
    here = (back.provider_account_id == pa.id) & (back.place == place)
    return sa.outerjoin(
        sa.outerjoin(pa.__table__, mapping.__table__, mapping.provider_account_id == pa.id), back.__table__, here
    )


def written_sides(place: str) -> sa.Join:
    """The same of those that were written, or tried, in this place: read from there, few of them through an index."""
    pa, mapping, back = t.ProviderAccount, t.Mapping, t.Writeback
    here = (pa.id == back.provider_account_id) & (back.place == place)
    return sa.outerjoin(
        sa.join(back.__table__, pa.__table__, here), mapping.__table__, mapping.provider_account_id == pa.id
    )


def is_concerned() -> sa.ColumnElement[bool]:
    """Whether there is anything to write or written of a row."""
    return sa.or_(t.Mapping.account_id.is_not(None), t.Writeback.provider_account_id.is_not(None))


def _is_due(at: dt.datetime) -> sa.ColumnElement[bool]:
    back, mapping = t.Writeback, t.Mapping
    never = sa.and_(back.provider_account_id.is_(None), mapping.account_id.is_not(None))
    changed = sa.and_(back.provider_account_id.is_not(None), back.account_id.is_distinct_from(mapping.account_id))
    again = sa.and_(back.state == WriteState.FAILED, back.next_at <= at)
    return sa.or_(never, changed, again)
