"""What holds in a database apart from its log, a small world whose rows stood in every way, and decisions there."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from counted import check_kept_counts
from fresh_stores import make_once
from service.fakes import (
    ADMIN,
    ANALYST,
    VIEWER,
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
    without_guards,
)

from w365.service import Service
from w365.service.configuring import settings
from w365.service.deciding import mapping
from w365.service.reading.records import read_row
from w365.store import tables as t
from w365.store.configuring.settings import read_policy
from w365.store.db.engine import Store
from w365.store.matching.refresh_derived import refresh_with_rivals

State = tuple[list[tuple[Any, ...]], ...]


def state_of(store: Store) -> State:
    """Mappings, dispositions, rejections and proposals, with the decisions they go back to; and owners."""
    tables = (t.Mapping, t.StandingOrder, t.Rejection, t.CurrentProposal, t.Ownership)
    return tuple(sorted(map(tuple, rows_of(store, *table.__table__.c)), key=repr) for table in tables)


def check_derived(store: Store) -> None:
    """The grid's rows and the proposals are what they would be if made anew, and the kept counts those of the rows."""
    with store.write() as connection:
        check_kept_counts(connection)
        tables = (t.Worklist.__table__, t.CurrentProposal.__table__)
        before = [connection.execute(sa.select(one).order_by(one.c.provider_account_id)).all() for one in tables]
        refresh_with_rivals(connection, read_policy(connection), None)
        after = [connection.execute(sa.select(one).order_by(one.c.provider_account_id)).all() for one in tables]
    assert before == after


def world(store: Store, home: Path, *, customers: int = 4, guards: bool = False) -> Service:
    """Customers with an account each ("m…"), with two ("c…") and with none ("u…"); Auto-Match mapped the first."""
    crm, listed = FakeCrm(), []
    for n in range(customers):
        crm.put(account(f"a{n}", name=f"Mapped {n}", website=f"m{n}.com"), contact(f"k{n}", f"a{n}", f"m{n}.com"))
        crm.put(account(f"b{n}", website=f"c{n}.com"), account(f"d{n}", website=f"c{n}.com"))
        listed += [customer(f"m{n}", f"m{n}.com"), customer(f"c{n}", f"c{n}.com"), customer(f"u{n}", f"u{n}.com")]
    made = make_service(store, home, portal=FakePortal(pages_of(listed)), crm=crm)

    def furnish() -> None:
        if not guards:
            without_guards(made)
        settings.set_setting(made, ADMIN, "auto_match", "true")
        crm_sync(made)
        sync(made)
        match(made)

    make_once(store, f"{customers} mapped, twice, and none, guards {guards}", furnish, crm)
    return made


# --- decisions by a person who sees the row as it is ---


def seen(service: Service, specific_id: str) -> tuple[int, int]:
    row = read_row(service, VIEWER, id_of(service.store, specific_id))
    return row.id, row.version


def assign(service: Service, specific_id: str, crm_id: str) -> int:
    row, version = seen(service, specific_id)
    account = account_id_of(service.store, crm_id)
    return mapping.assign_account(service, ANALYST, row, account, seen=version).decision_id


def clear(service: Service, specific_id: str) -> int:
    row, version = seen(service, specific_id)
    return mapping.clear_mapping(service, ANALYST, row, seen=version).decision_id


def park(service: Service, specific_id: str) -> int:
    row, version = seen(service, specific_id)
    until = dt.date(2027, 3, 1)
    return mapping.park_row(service, ANALYST, row, seen=version, reason="waits", until=until).decision_id


def exclude(service: Service, specific_id: str) -> int:
    row, version = seen(service, specific_id)
    return mapping.exclude_row(service, ANALYST, row, seen=version, reason="a test tenant").decision_id
