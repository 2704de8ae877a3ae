"""Accounts as the CRM says them, written where they differ from what is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from w365.matching.blocking_keys import label_signs, signs_of
from w365.matching.domains import email_domain, possible_domains, website_domain
from w365.source_records import CrmAccount
from w365.store import tables as t
from w365.store.db.bound_ids import IDS, NAMES
from w365.store.db.bulk_insert import chunks, upsert
from w365.store.matching.candidates import order_by_words, order_candidates, order_elsewhere, rows_suggesting
from w365.store.matching.dirty_rows import mapped_to_accounts
from w365.store.reading.search_index import put_words, sort_key, words_of
from w365.store.run_counts import Count, Counts
from w365.store.syncing.crm_concerned import read_account_ids, touching_reached
from w365.store.syncing.crm_reads import outcome_of
from w365.store.syncing.crm_size import grow_table


class _AccountRow(NamedTuple):
    """An account as it is stored, in the order in which it is written; a tuple, as `upsert` takes them."""

    crm_id: str
    name: str
    name_key: str
    number: str
    website: str
    email_domain: str
    website_domain: str
    city: str
    country: str
    tenant_guid: str
    is_active: bool
    is_deleted: bool


def store_account(connection: sa.Connection, account: CrmAccount) -> int:
    """Store one account, as after creating it in the CRM, and return its id."""
    store_accounts(connection, [account], Counter())
    return read_account_ids(connection, [account.crm_id])[account.crm_id]


def store_accounts(connection: sa.Connection, accounts: Sequence[CrmAccount], counts: Counts) -> None:
    """Store a page of accounts, touch whom it concerns, and add what became of them to `counts`."""
    known = _read_known(connection, [account.crm_id for account in accounts])
    unread = {account.crm_id: _unread_domains(account) for account in accounts}
    unread_before = _read_unread(connection, list(unread))
    changed = []
    for account in accounts:
        row = _make_row(account)
        counts[Count(f"accounts_{outcome_of(known.get(row.crm_id), row)}")] += 1
        if known.get(row.crm_id) != row or unread_before[row.crm_id] != unread[row.crm_id]:
            changed.append(row)
    if not changed:
        return
    with touching_reached(connection, [row.crm_id for row in changed]):
        upsert(connection, t.Account, _AccountRow._fields, changed)
        _put_unread(connection, {row.crm_id: unread[row.crm_id] for row in changed})
    grow_table(connection, "accounts", sum(row.crm_id not in known or known[row.crm_id].is_deleted for row in changed))
    ids = read_account_ids(connection, [row.crm_id for row in changed])
    put_words(connection, t.ACCOUNT, ((ids[row.crm_id], _search_words_of(row)) for row in changed))
    replaced = [known[row.crm_id] for row in changed if row.crm_id in known]
    _order_by_names(connection, {row.name for row in [*changed, *replaced]})
    order_candidates(connection, rows_suggesting(), {"ids": list(ids.values())})
    returned = [ids[row.crm_id] for row in replaced if row.is_deleted]
    order_by_words(connection, words_of((), label_signs(_read_domains(connection, returned))))
    order_elsewhere(connection, mapped_to_accounts(), {"ids": returned})


def drop_accounts(connection: sa.Connection, crm_ids: Sequence[str]) -> int:
    """Mark accounts as deleted, and return how many; mappings to them stay and are shown as drifted."""
    dropped = 0
    for part in chunks(crm_ids):
        with touching_reached(connection, part):
            update = sa.update(t.Account).where(t.Account.crm_id.in_(part), ~t.Account.is_deleted)
            deleted = connection.execute(update.values(is_deleted=True)).rowcount
        grow_table(connection, "accounts", -deleted)
        dropped += deleted
        ids = list(read_account_ids(connection, part).values())
        _order_by_names(connection, connection.scalars(sa.select(t.Account.name).where(t.Account.id.in_(ids))))
        order_candidates(connection, rows_suggesting(), {"ids": ids})
    return dropped


def read_crm_id(connection: sa.Connection, account_id: int) -> str | None:
    """Read the id that an account has in the CRM; None where there is no such account."""
    return connection.scalar(sa.select(t.Account.crm_id).where(t.Account.id == account_id))


def _read_known(connection: sa.Connection, crm_ids: Sequence[str]) -> dict[str, _AccountRow]:
    rows = (row for part in chunks(crm_ids) for row in connection.execute(_KNOWN, {"names": part}))
    return {row[0]: _AccountRow._make(row) for row in rows}


def _read_domains(connection: sa.Connection, account_ids: Sequence[int]) -> set[str]:
    return {name for part in chunks(account_ids) for name in connection.scalars(_DOMAINS, {"ids": part})}


def _make_row(account: CrmAccount) -> _AccountRow:
    return _AccountRow(
        account.crm_id,
        account.name,
        sort_key(account.name),
        account.number,
        account.website,
        email_domain(account.email),
        website_domain(account.website),
        account.city,
        account.country,
        account.tenant_guid,
        account.is_active,
        is_deleted=False,
    )


def _read_unread(connection: sa.Connection, crm_ids: Sequence[str]) -> dict[str, set[str]]:
    domains: dict[str, set[str]] = {crm_id: set() for crm_id in crm_ids}
    for part in chunks(crm_ids):
        for crm_id, name in connection.execute(_UNREAD, {"names": part}):
            domains[crm_id].add(name)
    return domains


def _put_unread(connection: sa.Connection, domains: Mapping[str, frozenset[str]]) -> None:
    """Keep which domains fields without one reading may mean, by the CRM id of their account."""
    ids = read_account_ids(connection, domains)
    for part in chunks(list(ids.values())):
        connection.execute(sa.delete(t.UnreadDomain).where(t.UnreadDomain.account_id.in_(part)))
    unread = [(name, ids[crm_id]) for crm_id, names in domains.items() for name in names]
    upsert(connection, t.UnreadDomain, ("domain", "account_id"), unread)


def _unread_domains(account: CrmAccount) -> frozenset[str]:
    """Give what the e-mail address and the website may mean, where they say something and it has no one reading."""
    of_email = possible_domains(account.email) if not email_domain(account.email) else frozenset()
    of_website = possible_domains(account.website) if not website_domain(account.website) else frozenset()
    return of_email | of_website


def _search_words_of(row: _AccountRow) -> set[str]:
    return words_of([row.name, row.city], [row.number, row.email_domain, row.website_domain])


def _order_by_names(connection: sa.Connection, names: Iterable[str]) -> None:
    """Ask for new candidates for the rows that share a word or sign with one of these accounts' names."""
    order_by_words(connection, {word for name in names for word in words_of([name], signs_of(name))})


_KNOWN = sa.select(*(getattr(t.Account, name) for name in _AccountRow._fields)).where(t.Account.crm_id.in_(NAMES))
_UNREAD = (
    sa.select(t.Account.crm_id, t.UnreadDomain.domain)
    .join(t.UnreadDomain, t.UnreadDomain.account_id == t.Account.id)
    .where(t.Account.crm_id.in_(NAMES))
)
_DOMAINS = sa.select(t.AccountDomain.domain).where(t.AccountDomain.account_id.in_(IDS))
