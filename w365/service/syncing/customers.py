"""Sync the customers of one provider into the database, page by page, each page with its cursor in one transaction."""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
import operator
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

import sqlalchemy as sa

from w365.errors import MassDisappearance, SourceRefused
from w365.model import Customer, CustomerPage
from w365.portals import Portal
from w365.portals.protocol import Choose, TellsChanges
from w365.service import Service
from w365.service.syncing.customer_changes import COLUMNS, Change, Domains, Facts, Known, words_of_change
from w365.service.syncing.scope import decide_kind
from w365.store import tables as t
from w365.store.configuring.settings import read_policy, read_setting
from w365.store.db.bound_ids import IDS, NAMES
from w365.store.db.bulk_insert import chunks, upsert
from w365.store.matching.candidates import ordering_elsewhere
from w365.store.matching.dirty_rows import touch
from w365.store.matching.evidence import THOSE, Values
from w365.store.matching.refresh_derived import settle
from w365.store.reading.search_index import put_words
from w365.store.runs import Progress, RunView, add_problems, has_seen, see, start_over

SUBJECT = "customer"
MISSING = "missing"
"""In the result of a run that the guard stopped: how many customers it did not meet."""
UNKNOWN_FIELDS = "unknown_fields"
"""In the result of a run: how many members of records were ignored, as nobody here knows them."""

_FACTS = operator.attrgetter(*COLUMNS)
_log = logging.getLogger(__name__)
_GUARD_FROM = 10
"""Below this many known customers a share says nothing."""


def run_sync(service: Service, run: RunView, progress: Progress) -> dict[str, int]:
    """Read every customer and return how many are new, changed, unchanged, gone, returned and rejected.

    Continues at the run's cursor. Raises MassDisappearance, with nothing marked as gone, when more customers are
    missing than the guard allows; SourceError and Cancelled with the pages read so far kept.
    """
    with service.store.read() as connection:
        provider_id = connection.scalar(_PROVIDER, {"of_name": run.target})
    assert provider_id is not None  # noqa: S101 - a run is requested for an existing provider
    counts: Counter[str] = Counter(run.result)
    unknown: set[str] = set()
    with service.open_portal(run.target, progress.beat) as portal:
        progress.explain = lambda: waiting.say() if (waiting := portal.waiting) else ""
        kind = decide_kind(service, portal, run, provider_id)
        for page in _pages(service, portal, run, counts, kind.choose):
            progress.check()
            unknown |= page.ignored_fields
            with service.store.write() as connection:
                store_page(connection, provider_id, page, run.id, service.clock(), counts)
                _report(connection, progress, page, counts)
    if not kind.choose:  # else who was not read is not missing
        counts["gone"] = _mark_missing(service, progress, provider_id, counts)
    return dict(counts) | kind.words() | _say_unknown(unknown)


def _report(connection: sa.Connection, progress: Progress, page: CustomerPage, counts: Counter[str]) -> None:
    values = {"total": page.total} if page.total is not None else {}
    done = counts.total() - counts["incomplete"]
    progress.report(connection, cursor=page.cursor, done=done, message="", result=dict(counts), **values)


def _mark_missing(service: Service, progress: Progress, provider_id: int, counts: Counter[str]) -> int:
    """Mark as gone whom the run did not meet; where the guard forbids it, leave with the run how many they are."""
    run_id = progress.run_id
    try:
        with service.store.write() as connection:
            gone = mark_gone(connection, provider_id, run_id, service.clock())
            progress.report(connection)
    except MassDisappearance:
        with service.store.write() as connection:
            missing = connection.scalar(_COUNT_MISSING, {"provider": provider_id, "run": run_id})
            progress.report(connection, result={**counts, MISSING: missing})
        raise
    return gone


def _say_unknown(fields: Collection[str]) -> dict[str, int]:
    """Count the members of records that nobody here knows; which they are stands in the log."""
    if fields:
        _log.info("Fields that were ignored, as nobody here knows them: %s", ", ".join(sorted(fields)))
    return {UNKNOWN_FIELDS: len(fields)} if fields else {}


def accept_gone(service: Service, connection: sa.Connection, provider_id: int, run_id: int) -> int:
    """Mark what a guarded run did not meet as gone, now that a person confirmed it."""
    return mark_gone(connection, provider_id, run_id, service.clock(), guard=False)


def _pages(
    service: Service, portal: Portal, run: RunView, counts: Counter[str], choose: Choose | None
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


def store_customers(connection: sa.Connection, provider_id: int, page: CustomerPage, at: dt.datetime) -> int:
    """Store customers outside a run, as for a manual provider; return how many differ from before."""
    customers = {customer.specific_id: customer for customer in page.customers}
    differing = 0
    for part in chunks(customers):
        known = _read_known(connection, provider_id, part)
        changes = [Change(customers[specific_id], known.get(specific_id)) for specific_id in part]
        written = [change for change in changes if change.difference != "unchanged"]
        if written:
            _write(connection, provider_id, written, at)
        differing += len(written)
    return differing


def compare_customers(
    connection: sa.Connection, provider_id: int, customers: Sequence[Customer]
) -> list[tuple[str, str]]:
    """Say of each customer whether storing it would be new, changed, unchanged or returned, and what it changes."""
    known = _read_known(connection, provider_id, [one.specific_id for one in customers])
    changes = [Change(one, known.get(one.specific_id)) for one in customers]
    return [(change.word, change.in_words()) for change in changes]


def store_page(
    connection: sa.Connection, provider_id: int, page: CustomerPage, run_id: int, at: dt.datetime, counts: Counter[str]
) -> None:
    """Store a page of a run and add what became of its customers to `counts`, each customer once a run."""
    customers = {customer.specific_id: customer for customer in page.customers}
    known = _read_known(connection, provider_id, list(customers))
    add_problems(connection, run_id, page.rejected)
    counts["rejected"] += len(page.rejected)
    seen_before = _already_seen(connection, run_id, list(customers))
    counts["incomplete"] += sum(bool(one.note) for one in customers.values() if one.specific_id not in seen_before)
    see(connection, run_id, SUBJECT, [one.record_id for one in page.rejected] + list(customers))
    written = []
    for specific_id, customer in customers.items():
        change = Change(customer, known.get(specific_id))
        if specific_id not in seen_before:
            counts[change.word] += 1
        if not change.is_left:
            written.append(change)
    if written:
        _write(connection, provider_id, written, at)


def _read_known(connection: sa.Connection, provider_id: int, specific_ids: Sequence[str]) -> dict[str, Known]:
    asked = {"provider": provider_id, "names": list(specific_ids)}
    domains = _known_domains(connection, asked)
    subscriptions = _known_subscriptions(connection, asked)
    return {
        row[1]: Known(
            row[0],
            Facts(*row[4:]),
            row[2] is not None,
            domains.get(row[0], {}),
            frozenset(subscriptions.get(row[0], ())),
            is_synced=row[3],
        )
        for row in connection.execute(_KNOWN, asked)
    }


def _known_domains(connection: sa.Connection, asked: Values) -> dict[int, Domains]:
    found: dict[int, Domains] = {}
    for row in connection.execute(_KNOWN_DOMAINS, asked):
        found.setdefault(row.provider_account_id, {})[row.domain] = (row.kind, row.is_default, row.is_verified)
    return found


def _known_subscriptions(connection: sa.Connection, asked: Values) -> dict[int, set[tuple[object, ...]]]:
    found: dict[int, set[tuple[object, ...]]] = {}
    for row in connection.execute(_KNOWN_SUBSCRIPTIONS, asked):
        found.setdefault(row[0], set()).add(tuple(row[1:]))
    return found


def _already_seen(connection: sa.Connection, run_id: int, specific_ids: Sequence[str]) -> set[str]:
    """Customers that an earlier page of this run brought: providers repeat some when records change while paging."""
    return set(connection.scalars(_SEEN, {"run": run_id, "names": list(specific_ids)}))


def _write(connection: sa.Connection, provider_id: int, changes: Sequence[Change], at: dt.datetime) -> None:
    with ordering_elsewhere(connection, [change.known.id for change in changes if change.known and change.tells_who]):
        _write_rows(connection, provider_id, changes, at)


def _write_rows(connection: sa.Connection, provider_id: int, changes: Sequence[Change], at: dt.datetime) -> None:
    rows = [
        (
            provider_id,
            change.customer.specific_id,
            *_FACTS(change.facts),
            at,
            None,
        )
        for change in changes
    ]
    _upsert_accounts(connection, rows)
    asked = {"provider": provider_id, "names": [change.customer.specific_id for change in changes]}
    ids = {row.specific_id: row.id for row in connection.execute(_IDS_OF, asked)}
    with_ids = [(ids[change.customer.specific_id], change) for change in changes]
    _note_changes(connection, with_ids, at)
    _write_domains(connection, with_ids)
    _write_subscriptions(connection, with_ids)
    put_words(connection, t.PROVIDER_ACCOUNT, ((row_id, words_of_change(change)) for row_id, change in with_ids))
    values = {"ids": list(ids.values())}
    touch(connection, THOSE, values)
    settle(connection, read_policy(connection), THOSE, values)


def _upsert_accounts(connection: sa.Connection, rows: Sequence[tuple[object, ...]]) -> None:
    """Write the facts; the first sight of a row that exists stays."""
    columns = ("provider_id", "specific_id", *COLUMNS, "first_seen_at", "gone_at")
    upsert(connection, t.ProviderAccount, columns, rows, keep=("first_seen_at",))


def _note_changes(connection: sa.Connection, changes: Sequence[tuple[int, Change]], at: dt.datetime) -> None:
    for row_id, change in changes:
        if text := change.in_words():
            connection.execute(_NOTE_CHANGE, {"one": row_id, "change": text, "changed_at": at})


def _write_domains(connection: sa.Connection, changes: Sequence[tuple[int, Change]]) -> None:
    differing = [(row_id, one) for row_id, one in changes if one.known is None or one.known.domains != one.domains]
    connection.execute(_DROP_DOMAINS, {"ids": [row_id for row_id, _ in differing]})
    columns = ("provider_account_id", "domain", "kind", "is_default", "is_verified")
    upsert(
        connection,
        t.ProviderAccountDomain,
        columns,
        [(row_id, name, *facts) for row_id, one in differing for name, facts in one.domains.items()],
    )


def _write_subscriptions(connection: sa.Connection, changes: Sequence[tuple[int, Change]]) -> None:
    differing = [
        (row_id, one)
        for row_id, one in changes
        if (one.known.subscriptions if one.known else frozenset()) != one.subscriptions
    ]
    connection.execute(_DROP_SUBSCRIPTIONS, {"ids": [row_id for row_id, _ in differing]})
    columns = ("provider_account_id", "subscription_id", "offer_name", "quantity", "status", "term", "started_at")
    rows = [(row_id, *sub) for row_id, one in differing for sub in one.subscriptions]
    upsert(connection, t.ProviderSubscription, columns, rows)


def mark_gone(connection: sa.Connection, provider_id: int, run_id: int, at: dt.datetime, *, guard: bool = True) -> int:
    """Mark the customers that the run did not meet as gone, and return how many; switched-off rows are left.

    Raises MassDisappearance, with nothing marked, where they are more than the guard lets pass.
    """
    asked = {"provider": provider_id, "run": run_id}
    ids = list(connection.scalars(_MISSING, asked))
    if guard:
        _guard(connection, len(ids), connection.scalar(_COUNT_HERE, {"provider": provider_id}) or 0)
    if ids:
        with ordering_elsewhere(connection, ids):
            connection.execute(_MARK_GONE, {**asked, "gone_at": at})
        written = {"provider": provider_id, "left_at": at}
        touch(connection, _GONE, written)
        settle(connection, read_policy(connection), _GONE, written)
    return len(ids)


def is_too_many(connection: sa.Connection, missing: int, known: int) -> bool:
    """Whether the guard stops a run that would mark `missing` of `known` customers as gone."""
    return known >= _GUARD_FROM and missing * 100 > int(read_setting(connection, "gone_guard_percent")) * known


def _guard(connection: sa.Connection, missing: int, known: int) -> None:
    if is_too_many(connection, missing, known):
        share = int(read_setting(connection, "gone_guard_percent"))
        raise MassDisappearance(
            f"{missing:,} of {known:,} customers are missing from the provider's list, more than {share} %.",
            kept="Nothing was marked as gone; what the provider did list was stored.",
            do="Check the provider. If they did leave, confirm it on the Providers page.",
        )


# --- what is asked of each page ---

_PROVIDER = sa.select(t.Provider.id).where(t.Provider.name == sa.bindparam("of_name"))
_OF_PROVIDER = t.ProviderAccount.provider_id == sa.bindparam("provider")
_NAMED = (_OF_PROVIDER, t.ProviderAccount.specific_id.in_(NAMES))
_IDS_OF = sa.select(t.ProviderAccount.specific_id, t.ProviderAccount.id).where(*_NAMED)
_KNOWN = sa.select(
    t.ProviderAccount.id,
    t.ProviderAccount.specific_id,
    t.ProviderAccount.gone_at,
    t.ProviderAccount.is_synced,
    *(getattr(t.ProviderAccount, name) for name in COLUMNS),
).where(*_NAMED)
_KNOWN_DOMAINS = (
    sa.select(
        t.ProviderAccountDomain.provider_account_id,
        t.ProviderAccountDomain.domain,
        t.ProviderAccountDomain.kind,
        t.ProviderAccountDomain.is_default,
        t.ProviderAccountDomain.is_verified,
    )
    .join(t.ProviderAccount, t.ProviderAccount.id == t.ProviderAccountDomain.provider_account_id)
    .where(*_NAMED)
)
_KNOWN_SUBSCRIPTIONS = (
    sa.select(
        t.ProviderSubscription.provider_account_id,
        t.ProviderSubscription.subscription_id,
        t.ProviderSubscription.offer_name,
        t.ProviderSubscription.quantity,
        t.ProviderSubscription.status,
        t.ProviderSubscription.term,
        t.ProviderSubscription.started_at,
    )
    .join(t.ProviderAccount, t.ProviderAccount.id == t.ProviderSubscription.provider_account_id)
    .where(*_NAMED)
)
_SEEN = sa.select(t.RunSeen.record_id).where(
    t.RunSeen.run_id == sa.bindparam("run"), t.RunSeen.subject == SUBJECT, t.RunSeen.record_id.in_(NAMES)
)
_NOTE_CHANGE = sa.update(t.ProviderAccount).where(t.ProviderAccount.id == sa.bindparam("one"))
"""Sets what else is given with it."""
_DROP_DOMAINS = sa.delete(t.ProviderAccountDomain).where(t.ProviderAccountDomain.provider_account_id.in_(IDS))
_DROP_SUBSCRIPTIONS = sa.delete(t.ProviderSubscription).where(t.ProviderSubscription.provider_account_id.in_(IDS))

# --- what is asked at its end ---

_HERE = (_OF_PROVIDER, t.ProviderAccount.gone_at.is_(None), t.ProviderAccount.is_synced)
_IS_MISSING = (*_HERE, ~has_seen(SUBJECT, t.ProviderAccount.specific_id))
_COUNT_HERE = sa.select(sa.func.count()).select_from(t.ProviderAccount).where(*_HERE)
_MISSING = sa.select(t.ProviderAccount.id).where(*_IS_MISSING)
_COUNT_MISSING = sa.select(sa.func.count()).select_from(_MISSING.subquery())
_MARK_GONE = sa.update(t.ProviderAccount).where(*_IS_MISSING)
"""Sets `gone_at`, which is given with it."""
_GONE = sa.select(t.ProviderAccount.id).where(_OF_PROVIDER, t.ProviderAccount.gone_at == sa.bindparam("left_at"))
