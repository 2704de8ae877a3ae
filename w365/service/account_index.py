"""The index of CRM accounts that suggestions are made from: read once by a process, then only what changed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from w365.store.db.bulk_insert import chunks
from w365.store.db.engine import Connection
from w365.store.matching.candidate_inputs import read_prospects
from w365.store.matching.change_sequence import accounts_since, version_now
from w365.store.matching.learned_weights import read_weights
from w365.store.matching.relations import read_listed
from w365.store.matching.unit_words import read_units

if TYPE_CHECKING:
    from w365.matching.candidates import Suggester  # with numpy, which most commands do without


class KnownAccounts:
    """A suggester that is kept between runs. It takes 1.3 kB of memory an account, 10 seconds to read 100,000."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._suggester: Suggester | None = None
        self._version = 0
        self._ignored: frozenset[str] = frozenset()

    @contextmanager
    def read_up_to_now(self, connection: Connection, beat: Callable[[], None]) -> Iterator[Suggester]:
        """Give the suggester, knowing at least what `connection` sees; no other thread has it meanwhile.

        `beat` is called every now and then while accounts are read.
        """
        from w365.matching.candidates import Suggester

        with self._lock:
            ignored = read_listed(connection)
            if self._suggester is None or ignored != self._ignored:
                self._suggester = None  # two at once would not fit
                self._suggester = Suggester(read_prospects(connection, None, beat), ignored=ignored)
                self._ignored = ignored
            else:
                self._catch_up(connection, self._suggester, beat)
            self._suggester.units = read_units(connection)
            self._suggester.weights = read_weights(connection)
            self._version = max(self._version, version_now(connection))
            yield self._suggester

    def _catch_up(self, connection: Connection, suggester: Suggester, beat: Callable[[], None]) -> None:
        for part in chunks(accounts_since(connection, self._version)):
            here = {prospect.account_id: prospect for prospect in read_prospects(connection, part, beat)}
            for account_id in part:
                if account_id in here:
                    suggester.put(here[account_id])
                else:
                    suggester.drop(account_id)
