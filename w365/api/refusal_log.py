"""Tells the log who was refused, each kind now and then: a flood of attempts must not push out what was before."""

from __future__ import annotations

import logging
from time import monotonic

from w365.api.visits import Visit

_log = logging.getLogger(__name__)

_TOLD_EVERY = 600.0  # seconds


class RefusalLog:
    def __init__(self) -> None:
        self._told: dict[str, float] = {}

    def note(self, kind: str, visit: Visit) -> None:
        """Log what came, from where, and by which addresses, unless this kind was logged in the last ten minutes."""
        now = monotonic()
        if now < self._told.get(kind, -_TOLD_EVERY) + _TOLD_EVERY:
            return
        self._told[kind] = now
        place = "/".join(visit.path.split("/")[:3])  # what follows can be the name of a link to a file
        brought = [f"{name}={visit.values(name)!r:.200}" for name in ("host", "origin", "sec-fetch-site")]
        _log.warning(
            "refused (%s) %s %.200r from %s: %s Others of this kind are not logged for ten minutes.",
            kind,
            "websocket" if visit.is_websocket else visit.method,
            place,
            visit.connection.peer,
            " ".join(brought) + ".",
        )
