"""The queue of the Review page: open rows, what blocks most first."""

from __future__ import annotations

from dataclasses import dataclass, replace

from w365.model import OPEN, Actor, Role
from w365.service import Service
from w365.service.access import needs
from w365.service.reading.records import Record, read_record
from w365.store.reading.review_order import list_by_impact, read_state
from w365.store.reading.row_counts import count_rows
from w365.store.reading.worklist import Filter


@dataclass(frozen=True, slots=True)
class Queue:
    """The first rows of the queue, and how many there are in all."""

    ids: tuple[int, ...]
    total: int


@needs(Role.VIEWER)
def read_queue(service: Service, actor: Actor, rows: Filter) -> Queue:
    """List up to 1,000 open rows of the filter; statuses that are not open are left out of it."""
    open_rows = narrow_to_open(rows)
    with service.store.read() as connection:
        return Queue(tuple(list_by_impact(connection, open_rows)), count_rows(connection, open_rows))


def narrow_to_open(rows: Filter) -> Filter:
    """Narrow a filter to open rows."""
    return replace(rows, statuses=tuple(status for status in rows.statuses if status in OPEN) or OPEN)


@needs(Role.VIEWER)
def read_if_open(service: Service, actor: Actor, row_id: int, known: Record | None = None) -> Record | None:
    """Read a record of the queue; None when it waits no more. One that is `known` is read anew only if it changed."""
    with service.store.read() as connection:
        state = read_state(connection, row_id)
    if state is None or state.status not in OPEN:
        return None
    is_same = known is not None and (known.row.id, known.row.version, known.row.owner) == (
        row_id,
        state.version,
        state.owner,
    )
    return known if is_same else read_record(service, actor, row_id)
