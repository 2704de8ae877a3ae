"""How one kind of detail fared of late, so that what fails for every customer costs one call each and no waiting."""

from __future__ import annotations

import threading

from w365.errors import SourceBusy, SourceError, SourceRefused, SourceSilent, SourceUnreachable

_FEW = 5
"""Faults in a row after which a customer is asked once, without further tries and without a new sign-in."""

_MANY = 40
"""Silences in a row after which the rest of a page is not asked: each may last a minute."""


class Trouble:
    """Counts faults in a row. Safe to share among threads: a question too many does no harm."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults = self._silences = 0
        self._given_up: SourceError | None = None

    @property
    def is_tried_once(self) -> bool:
        return self._faults >= _FEW

    def begin_page(self) -> None:
        """Ask once more who was silent; one that wants a long pause is left alone to the end."""
        if not isinstance(self._given_up, SourceBusy):
            self._silences, self._given_up = 0, None

    def refuse(self) -> None:
        """Raise the error for which nobody is asked any more, where there is one."""
        if self._given_up is not None:
            raise self._given_up

    def count(self, error: SourceError | None) -> None:
        """Take note of how a question ended; None is well."""
        is_fault = isinstance(error, SourceUnreachable | SourceBusy) or _is_unsigned(error)
        with self._lock:
            self._faults = self._faults + 1 if is_fault else 0
            self._silences = self._silences + 1 if isinstance(error, SourceSilent) else 0
            if isinstance(error, SourceBusy) or self._silences >= _MANY:
                self._given_up = error


def _is_unsigned(error: SourceError | None) -> bool:
    return isinstance(error, SourceRefused) and error.status == 401
