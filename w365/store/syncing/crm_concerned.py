"""Whom a change in the CRM concerns: domains of accounts are folded anew, rows touched, and candidates asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import sqlalchemy as sa

from w365.matching.blocking_keys import label_signs
from w365.store import tables as t
from w365.store.db.bound_ids import NAMES
from w365.store.db.bulk_insert import chunks
from w365.store.matching.account_domains import Folded, fold_contacts, fold_domains
from w365.store.matching.candidates import order_by_words, order_candidates, rows_suggesting
from w365.store.matching.change_sequence import note_accounts
from w365.store.matching.dirty_rows import pointing_to_accounts, reached_by_accounts, touch_rows, with_domains
from w365.store.matching.relations import leave_unlisted
from w365.store.matching.unit_words import learn_units
from w365.store.reading.search_index import words_of


@contextmanager
def touching_reached(connection: sa.Connection, account_crm_ids: Sequence[str]) -> Iterator[None]:
    """Around a change of accounts: touch what they reached before and reach after, and fold their domains."""
    _touch_reached(connection, list(read_account_ids(connection, account_crm_ids).values()))
    yield
    ids = list(read_account_ids(connection, account_crm_ids).values())
    for part in chunks(ids):
        folded = fold_domains(connection, part)
        _touch_concerned(connection, part, folded)
        learn_units(connection, part, (domain for _, domain in folded.moved))
    _touch_reached(connection, ids)


def fold_domains_of_contacts(connection: sa.Connection, accounts_and_domains: Iterable[tuple[str, str]]) -> None:
    """Fold the domains that contacts have or had, given with their account's CRM id, and touch whom it concerns."""
    for part in chunks(sorted(set(accounts_and_domains))):
        if ids := list(read_account_ids(connection, {account for account, _ in part}).values()):
            domains = sorted({domain for _, domain in part})
            folded = fold_contacts(connection, ids, domains)
            _touch_concerned(connection, ids, folded)
            learn_units(connection, (), (domain for _, domain in folded.moved))


def read_account_ids(connection: sa.Connection, crm_ids: Iterable[str]) -> dict[str, int]:
    """Read the ids of the accounts that are stored, by their CRM id."""
    return {row.crm_id: row.id for part in chunks(crm_ids) for row in connection.execute(_IDS_OF, {"names": part})}


def _touch_concerned(connection: sa.Connection, account_ids: Sequence[int], folded: Folded) -> None:
    """Touch who has a domain that came or went, and whom a guard may now see otherwise.

    Who may get other candidates by them is asked for, and the accounts are noted for the index.
    """
    note_accounts(connection, account_ids)
    touch_rows(connection, pointing_to_accounts(), {"ids": account_ids})
    # Free-mail domains have customers without number.
    unlisted = leave_unlisted(connection, {domain for _, domain in folded.changed})
    moved = unlisted.intersection(domain for _, domain in folded.moved)
    for names in chunks(sorted(moved)):
        touch_rows(connection, with_domains(), {"names": names})
    for names in chunks(sorted(unlisted - moved)):
        order_candidates(connection, with_domains(), {"names": names})
    order_by_words(connection, words_of((), label_signs(moved)))
    if owners := sorted({account_id for account_id, domain in folded.changed if domain in unlisted}):
        order_candidates(connection, rows_suggesting(), {"ids": owners})


def _touch_reached(connection: sa.Connection, account_ids: Sequence[int]) -> None:
    for part in chunks(account_ids):
        touch_rows(connection, reached_by_accounts(), {"ids": part})


_IDS_OF = sa.select(t.Account.crm_id, t.Account.id).where(t.Account.crm_id.in_(NAMES))
