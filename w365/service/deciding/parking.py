"""Parked rows return on their date: a decision by the calendar, so that the grid, counts and matches agree at once."""

from __future__ import annotations

import logging

from w365.service import Service
from w365.store.configuring.settings import read_policy
from w365.store.deciding.decisions import Who, bring_back, is_any_due

_log = logging.getLogger(__name__)

CALENDAR = "calendar"
"""Whom the record names for a row that came back by itself."""


def return_parked(service: Service) -> int:
    """Reopen every parked row whose date (UTC) has come; return how many. Asking again changes nothing."""
    with service.store.read() as connection:
        if not is_any_due(connection, service.clock().date()):
            return 0
    total = 0
    while returned := _return_some(service):
        total += returned
    _log.info("%d parked rows are back", total)
    return total


def _return_some(service: Service) -> int:
    now = service.clock()
    with service.store.write() as connection:
        return bring_back(connection, read_policy(connection), Who(CALENDAR, now), now.date())
