"""Sync accounts and contacts from the CRM: everything the first time, what changed afterwards.

Contacts are folded to `account_domain` as they arrive; whatever a changed account or contact reaches is touched in the
same transaction, so that the next match looks at just that.
"""

from __future__ import annotations

import dataclasses
import functools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa

from w365.errors import DeltaExpired, MassDisappearance
from w365.matching.blocking_keys import label_signs, signs_of
from w365.matching.domains import email_domain, website_domain
from w365.model import ChangePage, CrmAccount, CrmContact
from w365.service import Service
from w365.service.syncing.crm_cursor import Place, forget_seen, place_in
from w365.store import tables as t
from w365.store.configuring.settings import read_setting
from w365.store.db.bound_ids import IDS, NAMES
from w365.store.db.bulk_insert import chunks, upsert
from w365.store.matching.account_domains import Folded, fold_contacts, fold_domains
from w365.store.matching.candidates import order_by_words, order_candidates, suggesting
from w365.store.matching.change_sequence import note_accounts
from w365.store.matching.dirty_rows import pointing_to_accounts, reached_by_accounts, touch, with_domains
from w365.store.reading.search_index import put_words, sort_key, words_of
from w365.store.runs import Progress, RunView, add_problems, has_seen, see
from w365.store.syncing.crm_size import grow

_GUARD_FROM = 10

Record = TypeVar("Record", CrmAccount, CrmContact)


class Pages(Protocol[Record]):
    """How the pages of a table are asked for; see `w365.crm.protocol`."""

    def __call__(self, since: str | None, *, cursor: str | None = None) -> Iterator[ChangePage[Record]]: ...


def run_crm_sync(service: Service, run: RunView, progress: Progress) -> dict[str, int]:
    """Read what changed in the CRM; return how many accounts and contacts are new, changed, unchanged, gone, rejected.

    A full read goes on where the run's cursor says. An expired change link leads to a full read, announced in the run's
    message. Raises SourceError and Cancelled with the pages read so far kept.
    """
    counts: Counter[str] = Counter(run.result)
    with service.open_crm(progress.beat) as crm:
        progress.explain = lambda: waiting.say() if (waiting := crm.waiting) else ""
        _Table(service, run, progress, counts, "accounts", _store_accounts, _drop_accounts).read(crm.accounts)
        _Table(service, run, progress, counts, "contacts", _store_contacts, _drop_contacts).read(crm.contacts)
    return dict(counts)


class _Table:
    """One Dataverse table being read."""

    def __init__(
        self,
        service: Service,
        run: RunView,
        progress: Progress,
        counts: Counter[str],
        name: str,
        store: Callable[[sa.Connection, Sequence[Any], Counter[str]], None],
        drop: Callable[[sa.Connection, Sequence[str]], int],
    ) -> None:
        self.service, self.run, self.progress, self.counts = service, run, progress, counts
        self.name, self.store, self.drop = name, store, drop

    def read(self, pages: Pages[Record]) -> None:
        with self.service.store.read() as connection:
            link = connection.scalar(_LINK, {"of_table": self.name})
        try:
            if link is None and (cursor := place_in(self.run.cursor, self.name)):
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
            forget_seen(connection, self.run.id, self.name)
        self._read_whole(pages(None))

    def _read_changes(self, pages: Iterator[ChangePage[Record]]) -> None:
        for page in pages:
            self.progress.check()
            with self.service.store.write() as connection:
                self._store_page(connection, page)
                self._keep_link(connection, page.delta_link)
                self._report(connection, page)

    def _read_whole(self, pages: Iterator[ChangePage[Record]]) -> None:
        """Its link is kept when the read is finished: what went missing is found by a full read only."""
        next_link: str | None = None
        for page in pages:
            self.progress.check()
            next_link = page.delta_link or next_link
            with self.service.store.write() as connection:
                self._store_page(connection, page)
                self._see(connection, page)
                self._report(connection, page, cursor=page.cursor and Place(self.name, page.cursor).to_text())
        with self.service.store.write() as connection:
            self._drop_unseen(connection)
            self._keep_link(connection, next_link)
            self.progress.report(connection)

    def _keep_link(self, connection: sa.Connection, link: str | None) -> None:
        if link:
            upsert(connection, t.CrmDelta, ("table_name", "link"), [(self.name, link)])

    def _store_page(self, connection: sa.Connection, page: ChangePage[Record]) -> None:
        records: dict[str, Record] = {record.crm_id: record for record in page.changed}
        self.store(connection, list(records.values()), self.counts)
        self.counts[f"{self.name}_gone"] += self.drop(connection, page.deleted)
        self.counts[f"{self.name}_rejected"] += len(page.rejected)
        add_problems(connection, self.run.id, page.rejected)

    def _see(self, connection: sa.Connection, page: ChangePage[Record]) -> None:
        met = [*(one.crm_id for one in page.changed), *(one.record_id for one in page.rejected)]
        see(connection, self.run.id, self.name, met)

    def _report(self, connection: sa.Connection, page: ChangePage[Record], **values: str | None) -> None:
        done = sum(count for word, count in self.counts.items() if not word.endswith("_gone"))
        total = {} if page.total is None else {"total": page.total}
        message = f"Reading {self.name}"
        self.progress.report(connection, done=done, message=message, result=dict(self.counts), **total, **values)

    def _drop_unseen(self, connection: sa.Connection) -> None:
        """Drop what a full read did not meet, unless it is so much that something else must be wrong."""
        of_known, of_missing = _asking_for_unseen(self.name)
        known = connection.scalar(of_known) or 0
        missing = list(connection.scalars(of_missing, {"run": self.run.id}))
        share = int(read_setting(connection, "gone_guard_percent"))
        if known >= _GUARD_FROM and len(missing) * 100 > share * known:
            raise MassDisappearance(
                f"{len(missing):,} of {known:,} {self.name} are missing from the CRM's list, more than {share} %.",
                kept="Nothing was dropped; what the CRM did list was stored.",
                do="Check the application user's permissions in the CRM. To accept it, raise gone_guard_percent once.",
            )
        self.counts[f"{self.name}_gone"] += self.drop(connection, missing)


@functools.cache
def _asking_for_unseen(name: str) -> tuple[sa.Select[int], sa.Select[str]]:
    """Count what is known of a Dataverse table, and select what of it a `run` did not meet."""
    table = t.Account if name == "accounts" else t.Contact
    here = [~t.Account.is_deleted] if name == "accounts" else []
    known = sa.select(sa.func.count()).select_from(table).where(*here)
    return known, sa.select(table.crm_id).where(*here, ~has_seen(name, table.crm_id))


# --- accounts ---

_ACCOUNT = (
    "crm_id",
    "name",
    "name_key",
    "number",
    "website",
    "email_domain",
    "website_domain",
    "city",
    "country",
    "tenant_guid",
    "is_active",
    "is_deleted",
)


def store_account(connection: sa.Connection, account: CrmAccount) -> int:
    """Store one account, as after creating it in the CRM, and return its id."""
    _store_accounts(connection, [account], Counter())
    return int(connection.execute(sa.select(t.Account.id).where(t.Account.crm_id == account.crm_id)).scalar_one())


def _store_accounts(connection: sa.Connection, accounts: Sequence[CrmAccount], counts: Counter[str]) -> None:
    known = {
        row[0]: tuple(row)
        for part in chunks(account.crm_id for account in accounts)
        for row in connection.execute(_ACCOUNTS, {"names": part})
    }
    changed = []
    for account in accounts:
        row = _account_row(account)
        counts[_word("accounts", known.get(account.crm_id), row)] += 1
        if known.get(account.crm_id) != row:
            changed.append(row)
    if not changed:
        return
    with _reached(connection, [row[0] for row in changed]):
        upsert(connection, t.Account, _ACCOUNT, changed)
    # Of a known account the last column says whether it was deleted.
    grow(connection, "accounts", sum(row[0] not in known or known[row[0]][-1] for row in changed))
    ids = _ids(connection, [row[0] for row in changed])
    put_words(
        connection,
        t.ACCOUNT,
        ((ids[row[0]], words_of([row[1], row[7]], [row[3], row[5], row[6]])) for row in changed),
    )
    names = {row[1] for row in changed} | {known[row[0]][1] for row in changed if row[0] in known}
    order_by_words(connection, {word for name in names for word in words_of([name], signs_of(name))})
    order_candidates(connection, suggesting(), {"ids": list(ids.values())})
    returned = [ids[row[0]] for row in changed if row[0] in known and known[row[0]][-1]]
    order_by_words(connection, words_of((), label_signs(_domains_of(connection, returned))))


def _domains_of(connection: sa.Connection, account_ids: Sequence[int]) -> set[str]:
    domain = t.AccountDomain
    query = sa.select(domain.domain).where(domain.account_id.in_(IDS))
    return {name for part in chunks(account_ids) for name in connection.scalars(query, {"ids": part})}


def _account_row(account: CrmAccount) -> tuple[Any, ...]:
    values = dataclasses.asdict(account) | {
        "name_key": sort_key(account.name),
        "email_domain": email_domain(account.email),
        "website_domain": website_domain(account.website),
        "is_deleted": False,
    }
    return tuple(values[name] for name in _ACCOUNT)


def _drop_accounts(connection: sa.Connection, crm_ids: Sequence[str]) -> int:
    """Mark accounts as deleted; mappings to them stay and are shown as drifted."""
    dropped = 0
    for part in chunks(crm_ids):
        with _reached(connection, part):
            update = sa.update(t.Account).where(t.Account.crm_id.in_(part), ~t.Account.is_deleted)
            here = connection.execute(update.values(is_deleted=True)).rowcount
        grow(connection, "accounts", -here)
        dropped += here
        ids = list(_ids(connection, part).values())
        names = connection.scalars(sa.select(t.Account.name).where(t.Account.id.in_(ids)))
        order_by_words(connection, {word for name in names for word in words_of([name], signs_of(name))})
        order_candidates(connection, suggesting(), {"ids": ids})
    return dropped


# --- contacts ---


def _store_contacts(connection: sa.Connection, contacts: Sequence[CrmContact], counts: Counter[str]) -> None:
    known = _known_contacts(connection, [contact.crm_id for contact in contacts])
    changed = []
    for contact in contacts:
        row = (contact.crm_id, contact.account_crm_id, contact.domain)
        counts[_word("contacts", known.get(contact.crm_id), row)] += 1
        if known.get(contact.crm_id) != row:
            changed.append(row)
    if changed:
        upsert(connection, t.Contact, ("crm_id", "account_crm_id", "domain"), changed)
        _fold_contacts(connection, [*changed, *(known[row[0]] for row in changed if row[0] in known)])
        grow(connection, "contacts", sum(row[0] not in known for row in changed))


def _drop_contacts(connection: sa.Connection, crm_ids: Sequence[str]) -> int:
    dropped = 0
    for part in chunks(crm_ids):
        known = _known_contacts(connection, part)
        gone = connection.execute(sa.delete(t.Contact).where(t.Contact.crm_id.in_(part))).rowcount
        _fold_contacts(connection, known.values())
        grow(connection, "contacts", -gone)
        dropped += gone
    return dropped


def _known_contacts(connection: sa.Connection, crm_ids: Sequence[str]) -> dict[str, tuple[str, str, str]]:
    return {
        row.crm_id: (row.crm_id, row.account_crm_id, row.domain)
        for part in chunks(crm_ids)
        for row in connection.execute(_CONTACTS, {"names": part})
    }


# --- what it reaches ---


@contextmanager
def _reached(connection: sa.Connection, account_crm_ids: Sequence[str]) -> Iterator[None]:
    """Around a change of accounts: touch what they reached before and reach after, and fold their domains."""
    _touch_reached(connection, list(_ids(connection, account_crm_ids).values()))
    yield
    ids = list(_ids(connection, account_crm_ids).values())
    _fold(connection, ids)
    _touch_reached(connection, ids)


def _fold(connection: sa.Connection, account_ids: Iterable[int]) -> None:
    """Fold the domains of accounts anew, and tell whom it concerns."""
    for part in chunks(account_ids):
        _tell(connection, part, fold_domains(connection, part))


def _fold_contacts(connection: sa.Connection, contacts: Iterable[tuple[str, str, str]]) -> None:
    """Fold the domains that these contacts (id, account, domain) have or had, and tell whom it concerns."""
    for part in chunks(sorted({contact[1:] for contact in contacts})):
        if ids := list(_ids(connection, {owner for owner, _ in part}).values()):
            _tell(connection, ids, fold_contacts(connection, ids, sorted({domain for _, domain in part})))


def _tell(connection: sa.Connection, account_ids: Sequence[int], folded: Folded) -> None:
    """Touch who has a domain that came or went, and whom a guard may now see otherwise.

    Who may get other candidates by them is asked for, and the accounts are noted for the index.
    """
    note_accounts(connection, account_ids)
    touch(connection, pointing_to_accounts(), {"ids": account_ids})
    unlisted = _unlisted(connection, {domain for _, domain in folded.changed})
    moved = unlisted.intersection(domain for _, domain in folded.moved)
    for names in chunks(sorted(moved)):
        touch(connection, with_domains(), {"names": names})
    for names in chunks(sorted(unlisted - moved)):
        order_candidates(connection, with_domains(), {"names": names})
    order_by_words(connection, words_of((), label_signs(moved)))
    if owners := sorted({account_id for account_id, domain in folded.changed if domain in unlisted}):
        order_candidates(connection, suggesting(), {"ids": owners})


def _unlisted(connection: sa.Connection, domains: set[str]) -> set[str]:
    """Leave out what is no evidence: free-mail domains have customers without number."""
    listed = (connection.scalars(_LISTED, {"names": part}) for part in chunks(domains))
    return domains.difference(*listed)


def _touch_reached(connection: sa.Connection, account_ids: Sequence[int]) -> None:
    for part in chunks(account_ids):
        touch(connection, reached_by_accounts(), {"ids": part})


def _ids(connection: sa.Connection, crm_ids: Iterable[str]) -> dict[str, int]:
    return {row.crm_id: row.id for part in chunks(crm_ids) for row in connection.execute(_IDS_OF, {"names": part})}


def _word(table: str, known: tuple[object, ...] | None, row: tuple[object, ...]) -> str:
    if known is None:
        return f"{table}_new"
    return f"{table}_unchanged" if known == row else f"{table}_changed"


# --- what is asked of each page ---

_LINK = sa.select(t.CrmDelta.link).where(t.CrmDelta.table_name == sa.bindparam("of_table"))
_ACCOUNTS = sa.select(*(getattr(t.Account, name) for name in _ACCOUNT)).where(t.Account.crm_id.in_(NAMES))
_IDS_OF = sa.select(t.Account.crm_id, t.Account.id).where(t.Account.crm_id.in_(NAMES))
_CONTACTS = sa.select(t.Contact.crm_id, t.Contact.account_crm_id, t.Contact.domain).where(t.Contact.crm_id.in_(NAMES))
_LISTED = sa.select(t.ListedDomain.domain).where(t.ListedDomain.domain.in_(NAMES))
