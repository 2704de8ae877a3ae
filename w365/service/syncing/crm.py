"""Sync accounts and contacts from the CRM: everything the first time, what changed afterwards.

Contacts are folded to `account_domain` as they arrive; whatever a changed account or contact reaches is touched in the
same transaction, so that the next match looks at just that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from w365.errors import DeltaExpired
from w365.service import Service
from w365.service.syncing.crm_cursor import CrmCursor, cursor_within
from w365.source_records import ChangePage, CrmAccount, CrmContact
from w365.store.db.engine import Connection
from w365.store.run_counts import Count, Counts
from w365.store.runs import Progress, RunView, add_problems, see
from w365.store.syncing.crm_accounts import drop_accounts, store_accounts
from w365.store.syncing.crm_contacts import drop_contacts, store_contacts
from w365.store.syncing.crm_reads import forget_met, keep_link, read_link, read_unmet
from w365.store.syncing.crm_size import Table
from w365.store.syncing.gone_guard import GoneGuard

Record = TypeVar("Record", CrmAccount, CrmContact)


class Pages(Protocol[Record]):
    """How the pages of a table are asked for; see `w365.crm.protocol`."""

    def __call__(self, since: str | None, *, cursor: str | None = None) -> Iterator[ChangePage[Record]]: ...


def run_crm_sync(service: Service, run: RunView, progress: Progress) -> Counts:
    """Read what changed in the CRM; return how many accounts and contacts are new, changed, unchanged, gone, rejected.

    A full read goes on where the run's cursor says. An expired change link leads to a full read, announced in the run's
    message. Raises MassDisappearance, with nothing dropped, when a full read lacks more than the guard allows;
    SourceError and Cancelled with the pages read so far kept.
    """
    counts: Counts = Counter(run.result)
    with service.open_crm(progress.beat) as crm:
        progress.explain = lambda: waiting.say() if (waiting := crm.waiting) else ""
        _TableRead(service, run, progress, counts, "accounts", store_accounts, drop_accounts).read(crm.accounts)
        _TableRead(service, run, progress, counts, "contacts", store_contacts, drop_contacts).read(crm.contacts)
    return counts


class _TableRead:
    """One Dataverse table being read."""

    def __init__(
        self,
        service: Service,
        run: RunView,
        progress: Progress,
        counts: Counts,
        name: Table,
        store: Callable[[Connection, Sequence[Any], Counts], None],
        drop: Callable[[Connection, Sequence[str]], int],
    ) -> None:
        self.service, self.run, self.progress, self.counts = service, run, progress, counts
        self.name, self.store, self.drop = name, store, drop

    def read(self, pages: Pages[Record]) -> None:
        """Read what changed since the last time; all of the table where nobody knows since when.

        A sync that was asked to be full uses no link of an earlier one, neither to changes nor into the list.
        """
        if self.run.wants_full:
            self._begin_whole(pages)
            return
        with self.service.store.read() as connection:
            link = read_link(connection, self.name)
        try:
            if link is None and (cursor := cursor_within(self.run.cursor, self.name)):
                self._read_whole(pages(None, cursor=cursor))
            elif link is None:
                self._begin_whole(pages)
            else:
                self._read_changes(pages(link))
        except DeltaExpired:
            self.progress.say("The CRM's change link had expired; reading everything once more.")
            self._begin_whole(pages)

    def _begin_whole(self, pages: Pages[Record]) -> None:
        for word in [word for word in self.counts if word.startswith(f"{self.name}_")]:
            del self.counts[word]
        with self.service.store.write() as connection:
            forget_met(connection, self.name, self.run.id)
        self._read_whole(pages(None))

    def _read_changes(self, pages: Iterator[ChangePage[Record]]) -> None:
        for page in pages:
            self.progress.check()
            with self.service.store.write() as connection:
                self._store_page(connection, page)
                keep_link(connection, self.name, page.delta_link)
                self._report(connection, page)

    def _read_whole(self, pages: Iterator[ChangePage[Record]]) -> None:
        """Its link is kept when the read is finished: what went missing shows in a full read only."""
        next_link: str | None = None
        for page in pages:
            self.progress.check()
            next_link = page.delta_link or next_link
            with self.service.store.write() as connection:
                self._store_page(connection, page)
                self._note_met(connection, page)
                self._report(connection, page, cursor=page.cursor and CrmCursor(self.name, page.cursor).to_text())
        with self.service.store.write() as connection:
            self._drop_unmet(connection)
            keep_link(connection, self.name, next_link)
            self.progress.report(connection)

    def _store_page(self, connection: Connection, page: ChangePage[Record]) -> None:
        records: dict[str, Record] = {record.crm_id: record for record in page.changed}
        self.store(connection, list(records.values()), self.counts)
        self.counts[Count(f"{self.name}_gone")] += self.drop(connection, page.deleted)
        self.counts[Count(f"{self.name}_rejected")] += len(page.rejected)
        add_problems(connection, self.run.id, page.rejected)

    def _note_met(self, connection: Connection, page: ChangePage[Record]) -> None:
        met = [*(record.crm_id for record in page.changed), *(record.record_id for record in page.rejected)]
        see(connection, self.run.id, self.name, met)

    def _report(self, connection: Connection, page: ChangePage[Record], **values: str | None) -> None:
        done = sum(count for word, count in self.counts.items() if not word.endswith("_gone"))
        total = {} if page.total is None else {"total": page.total}
        message = f"Reading {self.name}"
        self.progress.report(connection, done=done, message=message, result=self.counts, **total, **values)

    def _drop_unmet(self, connection: Connection) -> None:
        """Drop what a full read did not meet, unless it is so much that something else must be wrong."""
        unmet = read_unmet(connection, self.name, self.run.id)
        _guard_of(self.name).refuse_too_many(connection, len(unmet.missing), unmet.known)
        self.counts[Count(f"{self.name}_gone")] += self.drop(connection, unmet.missing)


def _guard_of(table: Table) -> GoneGuard:
    return GoneGuard(
        table,
        "the CRM's list",
        kept="Nothing was dropped; what the CRM did list was stored.",
        do="Check the application user's permissions in the CRM. To accept it, raise gone_guard_percent once.",
    )
