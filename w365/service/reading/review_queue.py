"""The queue of the Review page: open rows, what blocks most first."""

from __future__ import annotations

from dataclasses import dataclass, replace

import sqlalchemy as sa

from w365.model import OPEN, Actor, Role
from w365.service import Service
from w365.service.access import require
from w365.service.reading.records import Record, read_record
from w365.store import tables as t
from w365.store.reading.review_order import list_by_impact
from w365.store.reading.worklist import Filter, count_rows


@dataclass(frozen=True, slots=True)
class Queue:
    """The first rows of the queue, and how many there are in all."""

    ids: tuple[int, ...]
    total: int


def read_queue(service: Service, actor: Actor, wanted: Filter) -> Queue:
    """List up to 1,000 open rows of the filter; statuses that are not open are left out of it."""
    require(actor, Role.VIEWER)
    chosen = wanted_of(wanted)
    with service.store.read() as connection:
        return Queue(tuple(list_by_impact(connection, chosen)), count_rows(connection, chosen))


def wanted_of(wanted: Filter) -> Filter:
    """Narrow a filter to open rows."""
    return replace(wanted, statuses=tuple(one for one in wanted.statuses if one in OPEN) or OPEN)


def read_if_open(service: Service, actor: Actor, row: int, known: Record | None = None) -> Record | None:
    """Read a record of the queue; None when it waits no more. One that is `known` is read anew only if it changed."""
    require(actor, Role.VIEWER)
    work = t.Worklist
    query = sa.select(work.version, work.status, work.owner).where(work.provider_account_id == row)
    with service.store.read() as connection:
        now = connection.execute(query).one_or_none()
    if now is None or now.status not in OPEN:
        return None
    is_same = known is not None and (known.row.id, known.row.version, known.row.owner) == (row, now.version, now.owner)
    return known if is_same else read_record(service, actor, row)
