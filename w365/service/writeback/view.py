"""How mappings stand in the CRM's table, as people see it: of one row, of all, and where both sides differ."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from w365.crm.tables import MappingPlace
from w365.model import Actor, AuditKind, Role, RunKind, RunState
from w365.service import Service
from w365.service.access import needs
from w365.service.exporting.text_files import csv_bytes
from w365.service.writeback.place import is_on, need_place, read_place, read_place_to_write
from w365.store.people.audit_log import note_event
from w365.store.runs import RunView
from w365.store.writeback import standings
from w365.store.writeback.due_mappings import WriteState, count_states
from w365.store.writeback.remote_mappings import Difference, Differing, count_differences, read_differences
from w365.store.writeback.runs import find_next_start, get_last_run
from w365.store.writeback.standings import WriteStanding, find_standing

_ALL = 1_000_000


@dataclass(frozen=True, slots=True)
class Overview:
    """All of it: where, whether it is on, counts, the last run, and the comparison once there was one.

    `again_at` is when a run may begin by itself after one that could write nothing.
    """

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


@needs(Role.VIEWER)
def read_overview(service: Service, actor: Actor, *, compares: bool = True) -> Overview | None:
    """Read how all mappings stand; None while no table is named. `compares` asks for the differences too."""
    with service.store.read() as connection:
        place = read_place(connection)
        if place is None:
            return None
        last, compared = get_last_run(connection), get_last_run(connection, RunKind.COMPARE)
        by_provider = bool(place.provider_column)
        return Overview(
            place,
            is_on(connection),
            count_states(connection, str(place)),
            last,
            find_next_start(last),
            compared,
            count_differences(connection, by_provider=by_provider) if compares and compared else {},
        )


@needs(Role.VIEWER)
def read_standing(service: Service, actor: Actor, provider_account_id: int) -> WriteStanding | None:
    """Read how one mapping stands; None where nothing is to be written or write-back is off."""
    with service.store.read() as connection:
        place = read_place_to_write(connection)
        if place is None:
            return None
        standing, last = find_standing(connection, str(place), provider_account_id), get_last_run(connection)
    if standing is None or standing.state is not WriteState.WAITING:
        return standing
    return replace(standing, error=last.error if last and last.state is RunState.FAILED else "")


@needs(Role.VIEWER)
def count_troubles(service: Service, actor: Actor) -> int:
    """Count the rows that failed or that the CRM says otherwise about; 0 while write-back is off."""
    with service.store.read() as connection:
        place = read_place_to_write(connection)
        return standings.count_troubles(connection, str(place)) if place else 0


@needs(Role.VIEWER)
def list_troubles(service: Service, actor: Actor, *, limit: int = 200) -> list[WriteStanding]:
    """List the rows that failed or that the CRM says otherwise about."""
    place = need_place(service)
    with service.store.read() as connection:
        return standings.list_troubles(connection, str(place), limit)


@needs(Role.VIEWER)
def list_differences(
    service: Service, actor: Actor, kinds: Sequence[Difference] = tuple(Difference), *, limit: int = 10_000
) -> list[Differing]:
    """List where both sides differ, by what the CRM's table said when it was last read."""
    place = need_place(service)
    with service.store.read() as connection:
        return read_differences(connection, by_provider=bool(place.provider_column), kinds=kinds, limit=limit)


@needs(Role.VIEWER)
def differences_file(service: Service, actor: Actor) -> bytes:
    """All differences as CSV."""
    headings = ("difference", "provider account", "provider specific account id", "provider", "here", "there")
    differing = list_differences(service, actor, limit=_ALL)
    with service.store.write() as connection:
        note_event(connection, actor.name, service.clock(), AuditKind.DOWNLOAD, "differences as csv")
    rows = ((row.kind.value, row.name, row.specific_id, row.provider, row.here, row.there) for row in differing)
    return csv_bytes(headings, rows)
