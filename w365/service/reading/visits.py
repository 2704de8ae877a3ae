"""When people were here, so that everybody is told which provider accounts are new to them."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress

from w365.errors import OtherVersion
from w365.model import Actor, Role
from w365.service import Service
from w365.service.access import needs
from w365.store.reading.visits import VisitTimes, put_visit_times, read_visit_times

_PAUSE = dt.timedelta(minutes=30)
"""Who was away for longer comes back for a new visit."""

_STEP = dt.timedelta(minutes=2)
"""How exactly the end of a visit is known; less often than that nothing is written."""


@needs(Role.VIEWER)
def read_visit(service: Service, actor: Actor) -> dt.datetime | None:
    """Say when this person's last visit ended, and note that they are here; None on the first visit."""
    now = service.clock()
    with service.store.read() as connection:
        times = read_visit_times(connection, actor.name)
    if times is not None and now - times.last_at < _STEP:
        return times.before_at
    before = _end_of_last_visit(times, now)
    # Where another version has changed the database, looking goes on without a trace.
    with suppress(OtherVersion), service.store.write() as connection:
        before = _end_of_last_visit(read_visit_times(connection, actor.name), now)
        put_visit_times(connection, actor.name, VisitTimes(now, before))
    return before


def _end_of_last_visit(times: VisitTimes | None, now: dt.datetime) -> dt.datetime | None:
    if times is None:
        return None
    return times.last_at if now - times.last_at > _PAUSE else times.before_at
