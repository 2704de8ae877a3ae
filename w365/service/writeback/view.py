"""How mappings stand in the CRM's table, as people see it: of one row, of all, and where both sides differ."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from w365.crm.tables import MappingPlace
from w365.model import Actor, Role, RunKind, RunState
from w365.service import Service
from w365.service.access import require
from w365.service.exporting.text_files import csv_bytes
from w365.service.writeback.write import TARGET, is_on, need_place, pause_between, read_place
from w365.store import tables as t
from w365.store.runs import RunView, latest_run
from w365.store.writeback.due_mappings import WriteState, concerned, count_states, sides, state_of
from w365.store.writeback.remote_mappings import Difference, Differing, count_differences, read_differences

_ALL = 1_000_000


@dataclass(frozen=True, slots=True)
class Standing:
    """How the mapping of one provider account stands in the CRM. `there` names the account that the CRM says.

    `error` of one that waits is what keeps all of them from being written.
    """

    provider_account_id: int
    name: str
    provider: str
    account: str
    state: WriteState
    error: str
    attempts: int
    next_at: dt.datetime | None
    written_at: dt.datetime | None
    there: str


@dataclass(frozen=True, slots=True)
class Overview:
    """All of it: where, whether it is on, counts, the last run, and the comparison once there was one."""

    place: MappingPlace
    is_on: bool
    counts: Mapping[WriteState, int]
    last: RunView | None
    again_at: dt.datetime | None
    compared: RunView | None
    differences: Mapping[Difference, int]

    @property
    def problem(self) -> str:
        """Why the last run could write nothing; empty while all is well."""
        return self.last.error if self.last and self.last.state is RunState.FAILED else ""


def read_overview(service: Service, actor: Actor, *, compares: bool = True) -> Overview | None:
    """Read how all mappings stand; None while no table is named. `compares` asks for the differences too."""
    require(actor, Role.VIEWER)
    with service.store.read() as connection:
        place = read_place(connection)
        if place is None:
            return None
        last = latest_run(connection, RunKind.WRITEBACK, TARGET)
        compared = latest_run(connection, RunKind.COMPARE, TARGET)
        has_failed = last is not None and last.state is RunState.FAILED and last.ended_at is not None
        return Overview(
            place,
            is_on(connection),
            count_states(connection, str(place)),
            last,
            last.ended_at + pause_between(last.result) if has_failed and last and last.ended_at else None,
            compared,
            count_differences(connection, by_provider=bool(place.provider_column)) if compares and compared else {},
        )


def read_standing(service: Service, actor: Actor, provider_account_id: int) -> Standing | None:
    """Read how one mapping stands; None where nothing is to be written or write-back is off."""
    require(actor, Role.VIEWER)
    with service.store.read() as connection:
        place = read_place(connection)
        if place is None or not is_on(connection):
            return None
        found = _standings(connection, place, t.ProviderAccount.id == provider_account_id, 1)
        last = latest_run(connection, RunKind.WRITEBACK, TARGET)
    if found and found[0].state is WriteState.WAITING:
        return replace(found[0], error=last.error if last and last.state is RunState.FAILED else "")
    return found[0] if found else None


def count_troubles(service: Service, actor: Actor) -> int:
    """Count the rows that failed or that the CRM says otherwise about; 0 while write-back is off."""
    require(actor, Role.VIEWER)
    back = t.Writeback
    with service.store.read() as connection:
        place = read_place(connection)
        if place is None or not is_on(connection):
            return 0
        bad = back.state.in_([WriteState.FAILED, WriteState.DIFFERS])
        return connection.scalar(sa.select(sa.func.count()).where(bad, back.place == str(place))) or 0


def list_troubles(service: Service, actor: Actor, *, start: int = 0, limit: int = 200) -> list[Standing]:
    """List the rows that failed or that the CRM says otherwise about."""
    require(actor, Role.VIEWER)
    place = need_place(service)
    wanted = state_of().in_([WriteState.FAILED, WriteState.DIFFERS])
    with service.store.read() as connection:
        return _standings(connection, place, wanted, limit, start)


def list_differences(
    service: Service,
    actor: Actor,
    kinds: Sequence[Difference] = tuple(Difference),
    *,
    start: int = 0,
    limit: int = 10_000,
) -> list[Differing]:
    """List where both sides differ, by what the CRM's table said when it was last read."""
    require(actor, Role.VIEWER)
    place = need_place(service)
    with service.store.read() as connection:
        return read_differences(
            connection, by_provider=bool(place.provider_column), kinds=kinds, start=start, limit=limit
        )


def differences_file(service: Service, actor: Actor) -> bytes:
    """All differences as CSV."""
    headings = ("difference", "provider account", "provider specific account id", "provider", "here", "there")
    found = list_differences(service, actor, limit=_ALL)
    rows = ((one.kind.value, one.name, one.specific_id, one.provider, one.here, one.there) for one in found)
    return csv_bytes(headings, rows)


def _standings(
    connection: sa.Connection, place: MappingPlace, where: sa.ColumnElement[bool], limit: int, start: int = 0
) -> list[Standing]:
    pa, account, back = t.ProviderAccount, t.Account, t.Writeback
    state = state_of()
    named = sa.orm.aliased(t.Account)
    said = sa.select(named.name).where(named.crm_id == back.there, back.there != "").scalar_subquery()
    query = (
        sa.select(
            pa.id,
            pa.name,
            t.Provider.name,
            sa.func.coalesce(account.name, ""),
            state,
            sa.func.coalesce(back.error, ""),
            sa.func.coalesce(back.attempts, 0),
            back.next_at,
            back.written_at,
            sa.func.coalesce(said, back.there, ""),
        )
        .select_from(sides(str(place)))
        .join(t.Provider, t.Provider.id == pa.provider_id)
        .outerjoin(account, account.id == t.Mapping.account_id)
        .where(concerned(), where)
        .order_by(pa.name_key, pa.id)
        .offset(start)
        .limit(limit)
    )
    return [_standing(row) for row in connection.execute(query)]


def _standing(row: sa.Row[*tuple[Any, ...]]) -> Standing:
    row_id, name, provider, account, state, *rest = row
    error, attempts, next_at, written_at, there = rest
    return Standing(row_id, name, provider, account, WriteState(state), error, attempts, next_at, written_at, there)
