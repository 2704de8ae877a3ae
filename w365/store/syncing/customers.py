"""Customers as the pages of a provider bring them, written where they differ from what is stored."""

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from w365.source_records import Customer, CustomerPage
from w365.store import tables as t
from w365.store.configuring.settings import read_policy
from w365.store.db.bound_ids import NAMES
from w365.store.db.bulk_insert import chunks, upsert
from w365.store.matching.candidates import ordering_elsewhere
from w365.store.matching.dirty_rows import touch_rows
from w365.store.matching.evidence import THOSE, Values
from w365.store.matching.refresh_derived import refresh_with_rivals
from w365.store.reading.search_index import put_words
from w365.store.run_counts import Count, Counts
from w365.store.runs import add_problems, see
from w365.store.syncing.customer_changes import (
    COLUMNS,
    NOT_WRITTEN,
    CustomerChange,
    CustomerFacts,
    DomainFacts,
    KnownCustomer,
    SubscriptionRow,
    search_words_of,
)

SUBJECT = "customer"
"""Under which subject a run notes the customers that it met."""

_OWNER = "provider_account_id"
_DOMAIN_COLUMNS = (_OWNER, "domain", "kind", "is_default", "is_verified")
_SUBSCRIPTION_COLUMNS = (_OWNER, "subscription_id", "offer_name", "quantity", "status", "term", "started_at")
_FACTS = operator.attrgetter(*COLUMNS)


def store_page(
    connection: sa.Connection, provider_id: int, page: CustomerPage, run_id: int, at: dt.datetime, counts: Counts
) -> None:
    """Store a page of a run and add what became of its customers to `counts`, each customer once a run."""
    customers = {customer.specific_id: customer for customer in page.customers}
    known = _read_known(connection, provider_id, list(customers))
    is_text_proof = bool(connection.scalar(_IS_TEXT_PROOF, {"provider": provider_id}))
    add_problems(connection, run_id, page.rejected)
    counts[Count.REJECTED] += len(page.rejected)
    seen_before = _already_seen(connection, run_id, list(customers))
    counts[Count.INCOMPLETE] += sum(bool(customers[new].note) for new in customers.keys() - seen_before)
    see(connection, run_id, SUBJECT, [rejected.record_id for rejected in page.rejected] + list(customers))
    changes = []
    for specific_id, customer in customers.items():
        change = CustomerChange(customer, known.get(specific_id), is_text_proof=is_text_proof)
        outcome = change.outcome
        if specific_id not in seen_before:
            counts[outcome] += 1
        if outcome not in NOT_WRITTEN:
            changes.append(change)
    _write_changes(connection, provider_id, changes, at)


def store_customers(connection: sa.Connection, provider_id: int, customers: Iterable[Customer], at: dt.datetime) -> int:
    """Store customers outside a run, as for a manual provider; return how many differ from before."""
    by_id = {customer.specific_id: customer for customer in customers}
    differing = 0
    for part in chunks(by_id.values()):
        compared = compare_customers(connection, provider_id, part)
        changes = [change for change in compared if change.difference != Count.UNCHANGED]
        _write_changes(connection, provider_id, changes, at)
        differing += len(changes)
    return differing


def compare_customers(
    connection: sa.Connection, provider_id: int, customers: Sequence[Customer]
) -> list[CustomerChange]:
    """Say of each customer what storing it would change; nothing is written."""
    known = _read_known(connection, provider_id, [customer.specific_id for customer in customers])
    is_text_proof = bool(connection.scalar(_IS_TEXT_PROOF, {"provider": provider_id}))
    return [
        CustomerChange(customer, known.get(customer.specific_id), is_text_proof=is_text_proof) for customer in customers
    ]


def read_present_ids(connection: sa.Connection, provider_id: int) -> set[str]:
    """Read the provider's own ids of its customers that are neither gone nor switched off."""
    pa = t.ProviderAccount
    query = sa.select(pa.specific_id).where(pa.provider_id == provider_id, pa.gone_at.is_(None), pa.is_synced)
    return set(connection.scalars(query))


def read_ids(connection: sa.Connection, provider_id: int, specific_ids: Sequence[str]) -> dict[str, int]:
    """Read the ids of stored rows, gone ones too, by the provider's own id."""
    asked = {"provider": provider_id, "names": list(specific_ids)}
    return {row.specific_id: row.id for row in connection.execute(_IDS_OF, asked)}


def read_bought(connection: sa.Connection, provider_id: int, specific_ids: Sequence[str]) -> dict[str, set[str]]:
    """Read the ids of the subscriptions that are stored, by the provider's own id of the customer."""
    bought: dict[str, set[str]] = {}
    for specific_id, subscription_id in connection.execute(_BOUGHT, {"provider": provider_id, "names": specific_ids}):
        bought.setdefault(specific_id, set()).add(subscription_id)
    return bought


def read_facts(
    connection: sa.Connection, provider_id: int, specific_ids: Sequence[str], columns: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Read some of the `COLUMNS` of stored customers, gone ones too, by the provider's own id."""
    pa = t.ProviderAccount
    query = sa.select(pa.specific_id, *(getattr(pa, name) for name in columns))
    rows = connection.execute(query.where(pa.provider_id == provider_id, pa.specific_id.in_(specific_ids)))
    return {row[0]: dict(zip(columns, row[1:], strict=True)) for row in rows}


# --- what is known ---


def _read_known(connection: sa.Connection, provider_id: int, specific_ids: Sequence[str]) -> dict[str, KnownCustomer]:
    asked = {"provider": provider_id, "names": list(specific_ids)}
    domains = _known_domains(connection, asked)
    subscriptions = _known_subscriptions(connection, asked)
    return {
        row[1]: KnownCustomer(
            row[0],
            CustomerFacts(*row[4:]),
            row[2] is not None,
            domains.get(row[0], {}),
            frozenset(subscriptions.get(row[0], ())),
            is_synced=row[3],
        )
        for row in connection.execute(_KNOWN, asked)
    }


def _known_domains(connection: sa.Connection, asked: Values) -> dict[int, DomainFacts]:
    domains: dict[int, DomainFacts] = {}
    for row_id, domain, kind, is_default, is_verified in connection.execute(_KNOWN_DOMAINS, asked):
        domains.setdefault(row_id, {})[domain] = (kind, is_default, is_verified)
    return domains


def _known_subscriptions(connection: sa.Connection, asked: Values) -> dict[int, set[SubscriptionRow]]:
    subscriptions: dict[int, set[SubscriptionRow]] = {}
    for row in connection.execute(_KNOWN_SUBSCRIPTIONS, asked):
        subscriptions.setdefault(row[0], set()).add(tuple(row[1:]))
    return subscriptions


def _already_seen(connection: sa.Connection, run_id: int, specific_ids: Sequence[str]) -> set[str]:
    """Customers that an earlier page of this run brought: providers repeat some when records change while paging."""
    return set(connection.scalars(_SEEN, {"run": run_id, "names": list(specific_ids)}))


# --- what is written ---


def _write_changes(
    connection: sa.Connection, provider_id: int, changes: Sequence[CustomerChange], at: dt.datetime
) -> None:
    """Write facts, domains, subscriptions and words of these customers, and bring their grid rows up to date."""
    if not changes:
        return
    moving = [change.known.id for change in changes if change.known and change.tells_who]
    with ordering_elsewhere(connection, moving):
        _write_rows(connection, provider_id, changes, at)


def _write_rows(
    connection: sa.Connection, provider_id: int, changes: Sequence[CustomerChange], at: dt.datetime
) -> None:
    rows = [(provider_id, change.customer.specific_id, *_FACTS(change.facts), at, None) for change in changes]
    _upsert_accounts(connection, rows)
    ids = read_ids(connection, provider_id, [change.customer.specific_id for change in changes])
    with_ids = [(ids[change.customer.specific_id], change) for change in changes]
    _note_changes(connection, with_ids, at)
    _write_domains(connection, with_ids)
    _write_subscriptions(connection, with_ids)
    put_words(connection, t.PROVIDER_ACCOUNT, ((row_id, search_words_of(change)) for row_id, change in with_ids))
    values = {"ids": list(ids.values())}
    touch_rows(connection, THOSE, values)
    refresh_with_rivals(connection, read_policy(connection), THOSE, values)


def _upsert_accounts(connection: sa.Connection, rows: Sequence[tuple[object, ...]]) -> None:
    """Write the facts; the first sight of a row that exists stays."""
    columns = ("provider_id", "specific_id", *COLUMNS, "first_seen_at", "gone_at")
    upsert(connection, t.ProviderAccount, columns, rows, keep=("first_seen_at",))


def _note_changes(connection: sa.Connection, changes: Sequence[tuple[int, CustomerChange]], at: dt.datetime) -> None:
    for row_id, change in changes:
        if text := change.describe():
            connection.execute(_NOTE_CHANGE, {"of_id": row_id, "change": text, "changed_at": at})


def _write_domains(connection: sa.Connection, changes: Sequence[tuple[int, CustomerChange]]) -> None:
    """Write the domains that differ: a customer may have thousands."""
    known = {row_id: change.known.domains if change.known else {} for row_id, change in changes}
    left = [(row_id, name) for row_id, change in changes for name in known[row_id].keys() - change.domains.keys()]
    if left:
        connection.execute(_DROP_DOMAIN, [{"of_id": row_id, "name": name} for row_id, name in left])
    rows = [
        (row_id, name, *facts)
        for row_id, change in changes
        for name, facts in change.domains.items()
        if known[row_id].get(name) != facts
    ]
    upsert(connection, t.ProviderAccountDomain, _DOMAIN_COLUMNS, rows)


def _write_subscriptions(connection: sa.Connection, changes: Sequence[tuple[int, CustomerChange]]) -> None:
    """Write the subscriptions that differ."""
    known = {row_id: change.known.subscriptions if change.known else frozenset() for row_id, change in changes}
    left = [(row_id, name) for row_id, change in changes for name in _ids(known[row_id]) - _ids(change.subscriptions)]
    if left:
        connection.execute(_DROP_SUBSCRIPTION, [{"of_id": row_id, "name": name} for row_id, name in left])
    rows = [(row_id, *bought) for row_id, change in changes for bought in change.subscriptions - known[row_id]]
    upsert(connection, t.ProviderSubscription, _SUBSCRIPTION_COLUMNS, rows)


def _ids(subscriptions: Iterable[SubscriptionRow]) -> set[object]:
    return {bought[0] for bought in subscriptions}


# --- what is asked of each page ---


def _select_known(
    table: type[t.ProviderAccountDomain | t.ProviderSubscription], columns: Sequence[str]
) -> sa.Select[*tuple[Any, ...]]:
    owner = t.ProviderAccount.id == table.provider_account_id
    return sa.select(*(getattr(table, name) for name in columns)).join(t.ProviderAccount, owner).where(*_NAMED)


_NAMED = (t.ProviderAccount.provider_id == sa.bindparam("provider"), t.ProviderAccount.specific_id.in_(NAMES))
_IDS_OF = sa.select(t.ProviderAccount.specific_id, t.ProviderAccount.id).where(*_NAMED)
_KNOWN = sa.select(
    t.ProviderAccount.id,
    t.ProviderAccount.specific_id,
    t.ProviderAccount.gone_at,
    t.ProviderAccount.is_synced,
    *(getattr(t.ProviderAccount, name) for name in COLUMNS),
).where(*_NAMED)
_IS_TEXT_PROOF = sa.select(t.Provider.is_text_proof).where(t.Provider.id == sa.bindparam("provider"))
_KNOWN_DOMAINS = _select_known(t.ProviderAccountDomain, _DOMAIN_COLUMNS)
_KNOWN_SUBSCRIPTIONS = _select_known(t.ProviderSubscription, _SUBSCRIPTION_COLUMNS)
_BOUGHT = (
    sa.select(t.ProviderAccount.specific_id, t.ProviderSubscription.subscription_id)
    .join(t.ProviderAccount, t.ProviderAccount.id == t.ProviderSubscription.provider_account_id)
    .where(*_NAMED)
)
_SEEN = sa.select(t.RunSeen.record_id).where(
    t.RunSeen.run_id == sa.bindparam("run"), t.RunSeen.subject == SUBJECT, t.RunSeen.record_id.in_(NAMES)
)
_NOTE_CHANGE = sa.update(t.ProviderAccount).where(t.ProviderAccount.id == sa.bindparam("of_id"))
"""Sets what else is given with it."""
_DROP_DOMAIN = sa.delete(t.ProviderAccountDomain).where(
    t.ProviderAccountDomain.provider_account_id == sa.bindparam("of_id"),
    t.ProviderAccountDomain.domain == sa.bindparam("name"),
)
_DROP_SUBSCRIPTION = sa.delete(t.ProviderSubscription).where(
    t.ProviderSubscription.provider_account_id == sa.bindparam("of_id"),
    t.ProviderSubscription.subscription_id == sa.bindparam("name"),
)
