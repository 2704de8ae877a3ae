"""Write-back by itself: a run is asked for as soon as a decision makes a write due."""

from __future__ import annotations

import datetime as dt

from w365.service import Service
from w365.service.writeback.place import read_place_to_write
from w365.store.db.engine import Connection
from w365.store.reading.decision_log import latest_decision_id
from w365.store.writeback.due_mappings import has_due, has_retry
from w365.store.writeback.runs import find_next_start, get_last_run, request_by_itself


class DueWatch:
    """Looks whether a decision made a write due, and asks for a run that writes. Cheap while nothing was decided."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._seen: tuple[str, int] | None = None

    def look(self) -> int | None:
        """Return the run that was asked for, if one was."""
        at = self._service.clock()
        with self._service.store.read() as connection:
            if not self._is_due(connection, at):
                return None
        with self._service.store.write() as connection:
            return request_by_itself(connection, at)

    def _is_due(self, connection: Connection, at: dt.datetime) -> bool:
        place = read_place_to_write(connection)
        if place is None or _is_early(connection, at):
            return False
        state = (str(place), latest_decision_id(connection))
        if state == self._seen and not has_retry(connection, at):
            return False
        is_due = has_due(connection, str(place), at)
        if not is_due:
            self._seen = state
        return is_due


def _is_early(connection: Connection, at: dt.datetime) -> bool:
    """After a run that could not write at all there is a pause, longer each time."""
    start = find_next_start(get_last_run(connection))
    return start is not None and at < start
