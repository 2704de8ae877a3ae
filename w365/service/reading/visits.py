"""When people were here, so that everybody is told which provider accounts are new to them."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from w365.model import Actor, Role
from w365.service import Service
from w365.service.access import require
from w365.store import tables as t

_PAUSE = dt.timedelta(minutes=30)
"""Who was away for longer comes back for a new visit."""

_STEP = dt.timedelta(minutes=2)
"""How exactly the end of a visit is known; less often than that nothing is written."""


def read_visit(service: Service, actor: Actor) -> dt.datetime | None:
    """Say when this person's last visit ended, and note that they are here; None on the first visit."""
    require(actor, Role.VIEWER)
    now = service.clock()
    with service.store.read() as connection:
        row = connection.execute(_visit_of(actor)).one_or_none()
    if row is not None and now - row[0] < _STEP:
        return row[1]
    with service.store.write() as connection:
        row = connection.execute(_visit_of(actor)).one_or_none()
        if row is None:
            connection.execute(sa.insert(t.Visit).values(actor=actor.name, last_at=now, before_at=None))
            return None
        last, before = row
        before = last if now - last > _PAUSE else before
        mine = sa.update(t.Visit).where(t.Visit.actor == actor.name)
        connection.execute(mine.values(last_at=now, before_at=before))
    return before


def _visit_of(actor: Actor) -> sa.Select[dt.datetime, dt.datetime | None]:
    return sa.select(t.Visit.last_at, t.Visit.before_at).where(t.Visit.actor == actor.name)
