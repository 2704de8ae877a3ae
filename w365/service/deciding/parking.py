"""Parked rows return on their date: a decision by the calendar, so that the grid, counts and matches agree at once."""

from __future__ import annotations

import logging

import sqlalchemy as sa

from w365.service import Service
from w365.store import tables as t
from w365.store.configuring.settings import read_policy
from w365.store.deciding.decisions import Who, bring_back
from w365.store.matching import refresh_derived
from w365.store.matching.candidates import order_candidates
from w365.store.matching.evidence import THOSE

_log = logging.getLogger(__name__)

CALENDAR = "calendar"
"""Whom the record names for a row that came back by itself."""


def return_parked(service: Service) -> int:
    """Reopen every parked row whose date (UTC) has come; return how many. Asking again changes nothing."""
    with service.store.read() as connection:
        if not _is_due(service, connection):
            return 0
    total = 0
    while ids := _return_some(service):
        total += len(ids)
    _log.info("%d parked rows are back", total)
    return total


def _is_due(service: Service, connection: sa.Connection) -> bool:
    order = t.StandingOrder
    query = sa.select(order.provider_account_id).where(order.until <= service.clock().date()).limit(1)
    return connection.scalar(query) is not None


def _return_some(service: Service) -> list[int]:
    now = service.clock()
    with service.store.write() as connection:
        ids = bring_back(connection, Who(CALENDAR, now), now.date())
        if ids:
            refresh_derived.settle(connection, read_policy(connection), THOSE, {"ids": ids})
            order_candidates(connection, THOSE, {"ids": ids})
    return ids
