"""Three customers to decide about, and what a decision leaves in the database."""

from __future__ import annotations

from pathlib import Path

import pytest
from fresh_stores import make_once
from service.fakes import (
    ADMIN,
    ANALYST,
    FakeCrm,
    FakePortal,
    account,
    account_id_of,
    contact,
    crm_sync,
    customer,
    id_of,
    make_service,
    match,
    pages_of,
    rows_of,
    sync,
)

from w365.service import Service
from w365.service.configuring import settings
from w365.service.deciding import mapping
from w365.service.deciding.mapping import Decided
from w365.store import tables as t
from w365.store.db.engine import Store

LISTED = [customer("p1", "one.com"), customer("p2", "two.com"), customer("p3", "three.com")]


@pytest.fixture
def crm() -> FakeCrm:
    made = FakeCrm()
    made.put(account("a1"), account("a2", website="two.com"), account("a3", website="two.com"))
    made.put(contact("c1", "a1", "one.com"))
    return made


@pytest.fixture
def service(store: Store, home: Path, crm: FakeCrm) -> Service:
    """One customer with one account, one in conflict, one with none."""
    made = make_service(store, home, portal=FakePortal(pages_of(LISTED)), crm=crm)
    make_once(store, "three to decide about", lambda: (crm_sync(made), sync(made)), crm)
    return made


def auto_match(service: Service) -> None:
    settings.set_setting(service, ADMIN, "auto_match", "true")
    match(service)


def assign(service: Service, specific_id: str, crm_id: str, *, seen: int = 0) -> Decided:
    row_id, account_id = id_of(service.store, specific_id), account_id_of(service.store, crm_id)
    return mapping.assign_account(service, ANALYST, row_id, account_id, seen=seen)


def mappings(store: Store) -> dict[str, tuple[str, str]]:
    pa, account_, held = t.ProviderAccount, t.Account, t.Mapping
    on = (held.provider_account_id == pa.id) & (held.account_id == account_.id)
    return {row[0]: (row[1], row[2]) for row in rows_of(store, pa.specific_id, account_.crm_id, held.origin, where=on)}


def everything(store: Store) -> list[object]:
    tables = (t.Decision.__table__, t.Mapping.__table__, t.Rejection.__table__, t.Worklist.__table__)
    return [rows_of(store, *table.columns) for table in (*tables, t.CurrentProposal.__table__)]
