"""Contacts as the CRM says them; of each is kept its id, its account and the domain it writes from."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from w365.source_records import CrmContact
from w365.store import tables as t
from w365.store.db.bound_ids import NAMES
from w365.store.db.bulk_insert import chunks, upsert
from w365.store.run_counts import Count, Counts
from w365.store.syncing.crm_concerned import fold_domains_of_contacts
from w365.store.syncing.crm_reads import outcome_of
from w365.store.syncing.crm_size import grow_table

_ContactRow = tuple[str, str, str, bool]
"""The contact's CRM id, its account's, its domain and whether it is active: a tuple, as `upsert` takes them."""


def store_contacts(connection: sa.Connection, contacts: Sequence[CrmContact], counts: Counts) -> None:
    """Store a page of contacts, touch whom it concerns, and add what became of them to `counts`."""
    known = _read_known(connection, [contact.crm_id for contact in contacts])
    changed = []
    for contact in contacts:
        row = (contact.crm_id, contact.account_crm_id, contact.domain, contact.is_active)
        counts[Count(f"contacts_{outcome_of(known.get(contact.crm_id), row)}")] += 1
        if known.get(contact.crm_id) != row:
            changed.append(row)
    if changed:
        upsert(connection, t.Contact, ("crm_id", "account_crm_id", "domain", "is_active"), changed)
        replaced = [known[row[0]] for row in changed if row[0] in known]
        fold_domains_of_contacts(connection, (row[1:3] for row in [*changed, *replaced]))
        grow_table(connection, "contacts", len(changed) - len(replaced))


def drop_contacts(connection: sa.Connection, crm_ids: Sequence[str]) -> int:
    """Delete contacts, and return how many there were."""
    dropped = 0
    for part in chunks(crm_ids):
        known = _read_known(connection, part)
        deleted = connection.execute(sa.delete(t.Contact).where(t.Contact.crm_id.in_(part))).rowcount
        fold_domains_of_contacts(connection, (row[1:3] for row in known.values()))
        grow_table(connection, "contacts", -deleted)
        dropped += deleted
    return dropped


def _read_known(connection: sa.Connection, crm_ids: Sequence[str]) -> dict[str, _ContactRow]:
    rows = (row for part in chunks(crm_ids) for row in connection.execute(_KNOWN, {"names": part}))
    return {row.crm_id: (row.crm_id, row.account_crm_id, row.domain, row.is_active) for row in rows}


_COLUMNS = (t.Contact.crm_id, t.Contact.account_crm_id, t.Contact.domain, t.Contact.is_active)
_KNOWN = sa.select(*_COLUMNS).where(t.Contact.crm_id.in_(NAMES))
