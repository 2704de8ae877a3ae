"""Sync the customers of one provider into the database, page by page, each page with its cursor in one transaction."""

from __future__ import annotations

import dataclasses
import logging
from collections import Counter
from collections.abc import Collection, Iterator

from w365.errors import ListIncomplete, MassDisappearance, NotFound, SourceRefused
from w365.portals import Portal
from w365.portals.protocol import Choose, TellsChanges
from w365.service import Service
from w365.service.syncing.gaps import count_gaps, say_gaps, tally_gaps
from w365.service.syncing.scope import decide_kind
from w365.service.syncing.second_look import SecondLook
from w365.source_records import CustomerPage
from w365.store.db.engine import Connection
from w365.store.run_counts import Count, Counts
from w365.store.runs import Progress, RunView, start_over
from w365.store.syncing.customers import store_page
from w365.store.syncing.gone_customers import count_missing, mark_gone
from w365.store.syncing.gone_guard import GoneGuard
from w365.store.syncing.providers import find_provider_named
from w365.store.syncing.sync_history import count_notes

_GUARD = GoneGuard(
    "customers",
    "the provider's list",
    kept="Nothing was marked as gone; what the provider did list was stored.",
    do="Check the provider. If they did leave, confirm it on the Providers page.",
)
_MOST_NAMED = 100
_log = logging.getLogger(__name__)


def run_sync(service: Service, run: RunView, progress: Progress) -> Counts:
    """Read every customer and return how many are new, changed, unchanged, gone, returned and rejected.

    Continues at the run's cursor. Raises MassDisappearance, with nothing marked as gone, when more customers are
    missing than the guard allows, ListIncomplete likewise where not all were listed; SourceError and Cancelled with the
    pages read so far kept.
    """
    provider_id = _read_provider_id(service, run.target)
    counts: Counts = Counter(run.result)
    unknown: set[str] = set()
    lack = ""
    with service.open_portal(run.target, progress.beat) as portal:
        progress.explain = lambda: waiting.say() if (waiting := portal.waiting) else ""
        kind = decide_kind(service, portal, run, provider_id)
        second_look = SecondLook(service, portal, provider_id, run.id)
        for page in map(second_look.complete, _read_pages(service, portal, run, counts, kind.choose)):
            progress.check()
            unknown |= page.ignored_fields
            lack = lack or page.lack
            with service.store.write() as connection:
                store_page(connection, provider_id, page, run.id, service.clock(), counts)
                _report(connection, progress, page, counts)
        _refuse_incomplete(run.target, lack)
        if not kind.choose:
            second_look.find_missing(progress.beat, counts)
    if not kind.choose:  # else who was not read is not missing
        counts[Count.GONE] = _mark_missing(service, progress, provider_id, counts)
    counts.update(kind.counts)
    counts.update(_count_unknown(unknown))
    counts.update(_close_with_gaps(service, progress, provider_id))
    return counts


def _refuse_incomplete(provider: str, lack: str) -> None:
    if lack:
        raise ListIncomplete(
            f"{provider} did not list all of its customers: {lack}",
            kept="Those it listed were stored, and nobody was marked as gone.",
            do="Start the sync again; it reads the list from the beginning.",
        )


def _close_with_gaps(service: Service, progress: Progress, provider_id: int) -> Counts:
    """Count what those that the run met lack, and leave with the run why."""
    with service.store.read() as connection:
        tally = tally_gaps(count_notes(connection, provider_id, progress.run_id))
    progress.closing = say_gaps(tally)
    return count_gaps(tally)


def _read_provider_id(service: Service, name: str) -> int:
    with service.store.read() as connection:
        provider = find_provider_named(connection, name)
    if provider is None:
        raise NotFound(f"There is no provider “{name}” any more.", kept="Nothing was read.")
    return provider.id


def _read_pages(
    service: Service, portal: Portal, run: RunView, counts: Counts, choose: Choose | None
) -> Iterator[CustomerPage]:
    """All pages from the run's cursor; when the provider no longer knows that cursor, from the first page."""
    if choose and isinstance(portal, TellsChanges):
        for page in portal.pages(choose=choose):
            # A run of this kind is short: it is not continued, or the next would have to be of its kind.
            yield dataclasses.replace(page, cursor=None)
        return
    if run.cursor is None:
        yield from portal.pages(None)
        return
    met_any = False
    try:
        for page in portal.pages(run.cursor):
            met_any = True
            yield page
    except SourceRefused:
        if met_any:
            raise
        with service.store.write() as connection:
            start_over(connection, run.id)
        counts.clear()
        yield from portal.pages(None)


def _report(connection: Connection, progress: Progress, page: CustomerPage, counts: Counts) -> None:
    values = {"total": page.total} if page.total is not None else {}
    done = counts.total() - counts[Count.INCOMPLETE]
    progress.report(connection, cursor=page.cursor, done=done, message="", result=counts, **values)


def _mark_missing(service: Service, progress: Progress, provider_id: int, counts: Counts) -> int:
    """Mark as gone whom the run did not meet; where the guard forbids it, leave with the run how many they are."""
    try:
        with service.store.write() as connection:
            gone = mark_gone(connection, provider_id, progress.run_id, service.clock(), _GUARD)
            progress.report(connection)
    except MassDisappearance:
        with service.store.write() as connection:
            missing = count_missing(connection, provider_id, progress.run_id)
            progress.report(connection, result={**counts, Count.MISSING: missing})
        raise
    return gone


def _count_unknown(fields: Collection[str]) -> Counts:
    """Count the members of records that nobody here knows; which they are stands in the log."""
    if fields:
        _log.info("Fields that were ignored, as nobody here knows them: %s", ", ".join(sorted(fields)[:_MOST_NAMED]))
    return Counter({Count.UNKNOWN_FIELDS: len(fields)} if fields else {})
