"""Contacts that change in the CRM, through the CRM sync as a worker runs it, and the same made anew from nothing."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.market import CONTACTS, Market, contact_id, domain_of, guid
from w365.config import Settings
from w365.connection import Connection
from w365.model import Actor, Role, RunState
from w365.portals import Portal
from w365.service import Check, Service
from w365.service.matching.run import refresh_touched
from w365.service.syncing.crm import run_crm_sync
from w365.service.syncing.providers import prepare_providers
from w365.service.syncing.runs import request_crm_sync
from w365.source_records import ChangePage, CrmAccount, CrmContact, NewAccount
from w365.store import tables as t
from w365.store.configuring.settings import read_policy
from w365.store.db.bulk_insert import upsert
from w365.store.db.engine import Store
from w365.store.matching.account_domains import fold_all
from w365.store.matching.refresh_derived import refresh_with_rivals
from w365.store.runs import Progress, claim_run, end_run

CHANGED = 100
_KEPT_UP = (t.AccountDomain, t.CurrentProposal, t.Worklist)
_ADMIN = Actor("bench", Role.ADMIN)


class ChangingCrm:
    """A CRM that gives one page of changed contacts."""

    def __init__(self) -> None:
        self.changed: tuple[CrmContact, ...] = ()

    def verify(self) -> tuple[str, ...]:
        return ()

    def accounts(self, since: str | None = None) -> Iterator[ChangePage[CrmAccount]]:
        yield ChangePage((), delta_link=since)

    def contacts(self, since: str | None = None) -> Iterator[ChangePage[CrmContact]]:
        yield ChangePage(self.changed, delta_link=since)

    def create_account(self, account: NewAccount) -> CrmAccount:
        raise NotImplementedError

    def close(self) -> None:
        pass


class Changes:
    """A service on this store whose CRM is read up to now."""

    def __init__(self, store: Store, home: Path, market: Market) -> None:
        self.crm, self.market, self.chance = ChangingCrm(), market, random.Random(7)
        self.moved: dict[str, str] = {}
        none = Connection("https://example.test", "https://example.test", "bench", "bench", "none")
        settings = Settings(home, "", "", none, none, is_demo=False)
        self.service = Service(store, settings, _no_portal, lambda _: nullcontext(self.crm))
        prepare_providers(self.service)
        with store.write() as connection:
            upsert(connection, t.CrmDelta, ("table_name", "link"), [("accounts", "now"), ("contacts", "now")])

    def some(self) -> tuple[float, float]:
        """Change contacts of as many accounts; return the seconds until proposals and grid rows agree with them.

        And those in which a worker then moves SQLite's log into the file.
        """
        accounts = self.chance.sample(range(1, self.market.size + 1), CHANGED)
        self.crm.changed = tuple(self._moved(account) for account in accounts)
        service, store = self.service, self.service.store
        run_id = request_crm_sync(service, _ADMIN)
        with store.write() as connection:
            run = claim_run(connection, run_id, service.clock())
        assert run is not None
        begin = time.perf_counter()
        counts = run_crm_sync(service, run, Progress(store, run_id, service.clock))
        refresh_touched(service)
        seconds = time.perf_counter() - begin
        assert counts["contacts_changed"] == CHANGED, counts
        with store.write() as connection:
            end_run(connection, run_id, RunState.DONE, service.clock())
        begin = time.perf_counter()
        store.tidy()
        return seconds, time.perf_counter() - begin

    def _moved(self, account: int) -> CrmContact:
        """From now on the contact writes from another domain, that of some customer."""
        contact = contact_id(account, self.chance.randrange(CONTACTS))
        before = (self.moved.get(contact), self.market.own_domain(account), self.market.borrowed_domain(account))
        while (domain := domain_of(self.chance.randrange(1, self.market.size + 1))) in before:
            pass
        self.moved[contact] = domain
        return CrmContact(contact, guid(account), domain)


def _no_portal(_name: str, _check: Check) -> AbstractContextManager[Portal]:
    raise NotImplementedError


def rebuild(store: Store) -> None:
    """Make all that is kept up anew."""
    with store.write() as connection:
        for table in _KEPT_UP:
            connection.execute(sa.delete(table))
        fold_all(connection)
        refresh_with_rivals(connection, read_policy(connection), None)


def contents(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    with store.read() as connection:
        return {table.__tablename__: _rows(connection, table.__table__) for table in _KEPT_UP}


def _rows(connection: sa.Connection, table: sa.FromClause) -> list[tuple[Any, ...]]:
    query = sa.select(table).order_by(*table.primary_key.columns)
    return [tuple(row) for row in connection.execute(query)]
