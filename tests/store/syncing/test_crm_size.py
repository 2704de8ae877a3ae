"""The kept number of accounts and contacts is what counting them finds, whatever a sync brings."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from service.fakes import ADMIN, FakeCrm, account, contact, crm_sync, make_service

from w365.service import Service
from w365.service.syncing.providers import get_crm
from w365.store import tables as t
from w365.store.db.engine import Store


def check(service: Service, accounts: int, contacts: int) -> None:
    with service.store.read() as connection:
        here = sa.select(sa.func.count()).select_from(t.Account).where(~t.Account.is_deleted)
        counted = connection.scalar(here), connection.scalar(sa.select(sa.func.count()).select_from(t.Contact))
    crm = get_crm(service, ADMIN)
    assert (crm.accounts, crm.contacts) == counted == (accounts, contacts)


def test_the_kept_size_is_what_counting_finds(store: Store, home: Path) -> None:
    crm = FakeCrm()
    service = make_service(store, home, crm=crm)
    check(service, 0, 0)
    crm.put(*(account(f"a{n}") for n in range(5)), *(contact(f"c{n}", f"a{n % 5}", "one.com") for n in range(7)))
    crm_sync(service)
    check(service, 5, 7)
    crm.put(account("a1", name="Renamed"), account("a9"), contact("c1", "a2", "two.com"), contact("c9", "a9", ""))
    crm.drop("a0", "a3", "c0", "c3")
    crm_sync(service)
    check(service, 4, 6)
    crm.drop("a0", "c0")  # not there any more
    crm.put(account("a3"), account("a2", is_active=False))  # one is back
    crm_sync(service)
    check(service, 5, 6)
    crm.expired = _links(store)
    crm.drop("a4", "c4")
    crm_sync(service)
    check(service, 4, 5)


def _links(store: Store) -> set[str]:
    with store.read() as connection:
        return set(connection.scalars(sa.select(t.CrmDelta.link)))
