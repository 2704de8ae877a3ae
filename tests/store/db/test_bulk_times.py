"""Moments written in bulk come back as the same moments, whatever zone they were given in and whoever shares them."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from w365.store import tables as t
from w365.store.db.bulk_insert import upsert
from w365.store.db.engine import Store

UTC = dt.datetime(2026, 3, 29, 0, 30, 0, 123456, dt.UTC)
BERLIN = dt.timezone(dt.timedelta(hours=2))
MOMENTS = [UTC, UTC.astimezone(BERLIN), UTC + dt.timedelta(microseconds=1), UTC - dt.timedelta(days=9000), None, UTC]


def test_moments_written_in_bulk_come_back_the_same(store: Store) -> None:
    columns = ("id", "actor", "kind", "target", "state", "requested_at", "ended_at", "cancel_requested", "done")
    columns += ("message", "result", "error")
    rows = [
        (place, "ada", "sync", f"p{place}", "done", at or UTC, at, False, 0, "", "{}", "")
        for place, at in enumerate(MOMENTS, start=1)
    ]
    with store.write() as connection:
        upsert(connection, t.Run, columns, rows)
    with store.read() as connection:
        found = connection.execute(sa.select(t.Run.requested_at, t.Run.ended_at).order_by(t.Run.id)).all()
    assert [tuple(one) for one in found] == [(at or UTC, at) for at in MOMENTS]
