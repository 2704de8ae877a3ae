"""The index of CRM accounts that suggestions are made from: read once by a process, then only what changed."""

from __future__ import annotations

import functools
import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import sqlalchemy as sa

from w365.matching.candidates import Suggester
from w365.matching.comparison_records import Prospect, ProspectDomain
from w365.model import Rule
from w365.store import tables as t
from w365.store.db.bound_ids import IDS
from w365.store.db.bulk_insert import chunks
from w365.store.matching.change_sequence import accounts_since, version_now
from w365.store.matching.evidence import is_in

_READ = 5_000


class KnownAccounts:
    """A suggester that is kept between runs. It takes 1.3 kB of memory an account, 10 seconds to read 100,000."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._suggester: Suggester | None = None
        self._version = 0
        self._ignored: frozenset[str] = frozenset()

    @contextmanager
    def read_up_to_now(self, connection: sa.Connection, beat: Callable[[], None]) -> Iterator[Suggester]:
        """Give the suggester, knowing at least what `connection` sees; no other thread has it meanwhile.

        `beat` is called every now and then while accounts are read.
        """
        with self._lock:
            ignored = frozenset(connection.scalars(_LISTED))
            if self._suggester is None or ignored != self._ignored:
                self._suggester = None  # two at once would not fit
                self._suggester = Suggester(_read(connection, None, beat), ignored=ignored)
                self._ignored = ignored
            else:
                self._catch_up(connection, self._suggester, beat)
            self._version = max(self._version, version_now(connection))
            yield self._suggester

    def _catch_up(self, connection: sa.Connection, suggester: Suggester, beat: Callable[[], None]) -> None:
        for part in chunks(accounts_since(connection, self._version)):
            here = {prospect.account_id: prospect for prospect in _read(connection, part, beat)}
            for account_id in part:
                if account_id in here:
                    suggester.put(here[account_id])
                else:
                    suggester.drop(account_id)


def _read(connection: sa.Connection, ids: Sequence[int] | None, beat: Callable[[], None]) -> Iterator[Prospect]:
    """Read accounts that are not deleted one by one: neither they nor their domains are ever all in memory."""
    of_accounts, of_domains = _asking(of_all=ids is None)
    asked = None if ids is None else {"ids": ids}
    streaming = connection.execution_options(yield_per=_READ)
    domains = itertools.groupby(streaming.execute(of_domains, asked), key=lambda row: row.account_id)
    of_account, found = next(domains, (None, iter(())))
    for number, row in enumerate(streaming.execute(of_accounts, asked)):
        if number % _READ == 0:
            beat()
        while of_account is not None and of_account < row.id:
            of_account, found = next(domains, (None, iter(())))
        own = found if of_account == row.id else ()
        yield Prospect(row.id, row.name, tuple(_domain(one) for one in own), *row[2:])


_LISTED = sa.select(t.ListedDomain.domain)


@functools.cache
def _asking(*, of_all: bool) -> tuple[sa.Select[int, str, str, str, str, str, bool], sa.Select[int, str, str, int]]:
    """Select accounts and their domains, all or those with `ids`, both in the order of accounts."""
    account, domain = t.Account, t.AccountDomain
    which = None if of_all else IDS
    columns = (account.name, account.country, account.city, account.number, account.tenant_guid, account.is_active)
    accounts = sa.select(account.id, *columns).where(~account.is_deleted, is_in(which, account.id))
    domains = sa.select(domain.account_id, domain.domain, domain.rule, domain.contacts)
    return (
        accounts.order_by(account.id),
        domains.where(is_in(which, domain.account_id)).order_by(domain.account_id, domain.domain, domain.rule),
    )


def _domain(row: sa.Row[int, str, str, int]) -> ProspectDomain:
    return ProspectDomain(row.domain, Rule(row.rule), row.contacts)
