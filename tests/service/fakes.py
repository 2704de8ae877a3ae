"""A provider and a CRM that live in memory, a clock that is set by hand, and a service put together from them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from fresh_stores import is_untouched, make_once

from w365.config import Settings
from w365.connection import Connection
from w365.crm import Crm
from w365.crm.mappings import MappingTable
from w365.crm.tables import MappingPlace, Metadata
from w365.errors import DeltaExpired, SourceRefused, W365Error
from w365.http.wait import Waiting
from w365.jobs import execute_run
from w365.model import Actor, Cardinality, DomainList, Guard, Role
from w365.portals import Portal
from w365.process_names import name_process
from w365.service import Check, Service
from w365.service.configuring import settings as configuration
from w365.service.matching.run import PendingChange, make_change
from w365.service.syncing import providers, runs
from w365.source_records import (
    ChangePage,
    CrmAccount,
    CrmContact,
    Customer,
    CustomerDomain,
    CustomerPage,
    NewAccount,
    Rejected,
    Subscription,
)
from w365.store import tables as t
from w365.store.db.engine import Store
from w365.store.runs import Clock, RunView, claim_run

ADMIN = Actor("ada", Role.ADMIN)
ANALYST = Actor("ben", Role.ANALYST)
OTHER_ANALYST = Actor("cleo", Role.ANALYST)
VIEWER = Actor("dan", Role.VIEWER)

Step = Callable[[], None]
Thing = TypeVar("Thing")


class FakeClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.at = dt.datetime(2026, 11, 2, 9, 0, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += dt.timedelta(**by)


@dataclass
class FakePortal:
    """Yields the given pages; those after a cursor when one is given. `before` runs ahead of the page of that number.

    A cursor that no page has is refused, as a provider does with one that is too old.
    """

    served: Sequence[CustomerPage] = ()
    before: dict[int, Step] = field(default_factory=dict)
    asked: list[str | None] = field(default_factory=list)
    waiting: Waiting | None = None
    check: Check = lambda: None

    def verify(self) -> tuple[str, ...]:
        return ("Customers can be read.",)

    def pages(self, cursor: str | None = None) -> Iterator[CustomerPage]:
        self.asked.append(cursor)
        known = [page.cursor for page in self.served]
        if cursor is not None and cursor not in known:
            raise SourceRefused("The provider does not know this continuation.", status=400)
        first = 0 if cursor is None else known.index(cursor) + 1
        for place, page in list(enumerate(self.served))[first:]:
            self.before.get(place, lambda: None)()
            yield page

    def close(self) -> None:
        pass


@dataclass
class FakeCrm:
    """Holds accounts and contacts, remembers what changed since each link, and gives small pages."""

    held_accounts: dict[str, CrmAccount] = field(default_factory=dict)
    held_contacts: dict[str, CrmContact] = field(default_factory=dict)
    tracks: bool = True
    expired: set[str] = field(default_factory=set)
    before: dict[str, Step] = field(default_factory=dict)  # table -> ahead of its second page
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    rejected: tuple[Rejected, ...] = ()
    refusal: W365Error | None = None
    waiting: Waiting | None = None
    page_size: int = 2
    _links: dict[str, dict[str, Any]] = field(default_factory=dict)

    def put(self, *records: CrmAccount | CrmContact) -> None:
        for record in records:
            held: dict[str, Any] = self.held_accounts if isinstance(record, CrmAccount) else self.held_contacts
            held[record.crm_id] = record

    def drop(self, *crm_ids: str) -> None:
        for crm_id in crm_ids:
            self.held_accounts.pop(crm_id, None)
            self.held_contacts.pop(crm_id, None)

    def verify(self) -> tuple[str, ...]:
        return ("Accounts can be read.",)

    def accounts(self, since: str | None = None, *, cursor: str | None = None) -> Iterator[ChangePage[CrmAccount]]:
        return self._pages("accounts", self.held_accounts, since, cursor)

    def contacts(self, since: str | None = None, *, cursor: str | None = None) -> Iterator[ChangePage[CrmContact]]:
        return self._pages("contacts", self.held_contacts, since, cursor)

    def create_account(self, account: NewAccount) -> CrmAccount:
        if self.refusal:
            raise self.refusal
        made = CrmAccount(f"made-{len(self.held_accounts)}", account.name, website=account.website)
        self.put(made)
        return made

    def metadata(self) -> Metadata:
        raise SourceRefused("This CRM has no metadata.", status=404)

    def mappings(self, place: MappingPlace) -> MappingTable:
        raise SourceRefused(f"This CRM has no table {place.table}.", status=404)

    def close(self) -> None:
        pass

    def _pages(
        self, table: str, held: dict[str, Thing], since: str | None, cursor: str | None = None
    ) -> Iterator[ChangePage[Thing]]:
        self.asked.append((table, cursor or since))
        if {since, cursor} & self.expired:
            raise DeltaExpired("The change link is too old.")
        old = self._links[since] if since else {}
        changed = [record for crm_id, record in held.items() if old.get(crm_id) != record]
        deleted = tuple(crm_id for crm_id in old if crm_id not in held)
        link = f"{table}-{len(self._links)}" if self.tracks else None
        if link:
            self._links[link] = dict(held)
        size = self.page_size
        parts = [tuple(changed[at : at + size]) for at in range(0, len(changed), size)] or [()]
        after = int(cursor.rpartition(" ")[2]) if cursor else 0
        for place, part in list(enumerate(parts, start=1))[after:]:
            if place == 2:
                self.before.get(table, lambda: None)()
            is_last = place == len(parts)
            last = (deleted, self.rejected, link) if is_last else ((), (), None)
            yield ChangePage(part, *last, cursor=None if is_last or since else f"{table} after {place}")


def without_guards(service: Service) -> None:
    """Let the rules hold as they stand: the customers and accounts here have names that no guard would let pass."""
    configuration.set_settings(service, ADMIN, {f"guard_{guard}": "false" for guard in Guard})


def make_service(
    store: Store, home: Path, *, portal: Portal | None = None, crm: Crm | None = None, clock: Clock | None = None
) -> Service:
    """A service on this store; providers and lists are prepared as at the first start."""
    connection = Connection("https://example.test", "https://login.example.test", "example.test", "client", "hidden")
    settings = Settings(home, str(store.engine.url), "key", connection, connection, is_demo=False)
    portals, crms = portal or FakePortal(), crm or FakeCrm()

    def open_portal(_name: str, check: Check) -> AbstractContextManager[Portal]:
        if isinstance(portals, FakePortal):
            portals.check = check
        return closing(portals)

    service = Service(store, settings, open_portal, lambda _check: closing(crms), clock or FakeClock())
    if store.is_sqlite and is_untouched(store):
        make_once(store, "prepared", lambda: providers.prepare_providers(service))
    else:
        providers.prepare_providers(service)
    return service


# --- short words for tests ---


def set_domains(service: Service, which: DomainList, domains: Iterable[str]) -> None:
    """Make a list hold exactly these."""
    make_change(service, ADMIN, PendingChange(domains={which: tuple(domains)}))


def add_domain(service: Service, which: DomainList, domain: str) -> None:
    make_change(service, ADMIN, PendingChange(added={which: (domain,)}))


def set_provider_cardinality(service: Service, provider_id: int, value: Cardinality | None) -> None:
    make_change(service, ADMIN, PendingChange(cardinalities={provider_id: value}))


def customer(specific_id: str, *domains: str, **facts: Any) -> Customer:
    """A customer whose first domain is the default one."""
    names = tuple(CustomerDomain(name, is_default=place == 0) for place, name in enumerate(domains))
    values = {"name": f"Customer {specific_id}", "domain_source": "profile", "subscriptions": ()} | facts
    return Customer(specific_id, default_domain=domains[0] if domains else "", domains=names, **values)


def subscription(number: int, quantity: int, status: str = "active") -> Subscription:
    return Subscription(f"s{number}", "Microsoft 365 Business Basic", quantity, status)


def pages_of(*groups: Iterable[Customer]) -> list[CustomerPage]:
    """Pages whose cursors are "after 1", "after 2" …, the last without."""
    lists = [tuple(group) for group in groups] or [()]
    last = len(lists)
    return [
        CustomerPage(found, cursor=f"after {place}" if place < last else None)
        for place, found in enumerate(lists, start=1)
    ]


def account(crm_id: str, **facts: Any) -> CrmAccount:
    return CrmAccount(crm_id, **({"name": f"Account {crm_id}"} | facts))


def contact(crm_id: str, of: str, domain: str) -> CrmContact:
    return CrmContact(crm_id, of, domain)


def sync(service: Service) -> RunView:
    """Sync the provider to the end of the run, and of the match that follows, as a worker does."""
    return execute_run(service, runs.request_sync(service, ADMIN, providers.PARTNER_CENTER))


def crm_sync(service: Service, *, full: bool = False) -> RunView:
    return execute_run(service, runs.request_crm_sync(service, ADMIN, full=full))


def match(service: Service) -> RunView:
    return execute_run(service, runs.request_match(service, ADMIN))


def claimed(service: Service, run_id: int) -> RunView:
    """Claim a run as a worker does, for a test that does its work by itself, without what follows it."""
    with service.store.write() as connection:
        run = claim_run(connection, run_id, service.clock())
    assert run is not None
    return run


def lose_processes(store: Store) -> None:
    """Let the processes of all runs have ended, as others see it."""
    process, _, start = name_process().rpartition(" ")
    with store.write() as connection:
        connection.execute(sa.update(t.Run).values(holder=f"{process} {int(start) + 1}"))


def rows_of(store: Store, *columns: Any, where: Any = True) -> list[tuple[Any, ...]]:
    """Read columns, in their own order."""
    with store.read() as connection:
        query = sa.select(*columns).where(sa.true() if where is True else where).order_by(*columns)
        return [tuple(row) for row in connection.execute(query)]


def id_of(store: Store, specific_id: str) -> int:
    found = rows_of(store, t.ProviderAccount.id, where=t.ProviderAccount.specific_id == specific_id)
    return int(found[0][0])


def account_id_of(store: Store, crm_id: str) -> int:
    return int(rows_of(store, t.Account.id, where=t.Account.crm_id == crm_id)[0][0])
