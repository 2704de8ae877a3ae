"""Rows that syncs leave alone, and what is new to whom."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from service.fakes import (
    ADMIN,
    ANALYST,
    OTHER_ANALYST,
    VIEWER,
    FakeClock,
    FakePortal,
    customer,
    id_of,
    make_service,
    pages_of,
    rows_of,
    sync,
)
from service.import_files import csv_sheet

from w365.errors import InputError, StaleEdit
from w365.model import DecisionKind, ListPart
from w365.service import Service
from w365.service.deciding import mapping
from w365.service.importing.accounts import AccountsChoice, import_accounts, preview_accounts
from w365.service.reading.records import count, list_rows, read_record
from w365.service.reading.visits import read_visit
from w365.service.syncing import providers
from w365.service.syncing.manual_rows import FIELDS
from w365.sheets import guess_columns
from w365.store import tables as t
from w365.store.db.engine import Store
from w365.store.reading.worklist import Filter

PA = t.ProviderAccount


def switch(service: Service, row: str, *, on: bool) -> None:
    row_id = id_of(service.store, row)
    seen = rows_of(service.store, t.Worklist.version, where=t.Worklist.provider_account_id == row_id)[0][0]
    mapping.switch_sync(service, ANALYST, row_id, on=on, seen=seen)


def check_that_syncs_leave_a_row_alone(store: Store, home: Path) -> None:
    portal = FakePortal(pages_of([customer("p1", "one.com"), customer("p2", "two.com"), customer("p3", "three.com")]))
    service = make_service(store, home, portal=portal)
    sync(service)
    switch(service, "p1", on=False)
    switch(service, "p2", on=False)
    assert [row.specific_id for row in list_rows(service, VIEWER, Filter(part=ListPart.UNSYNCED))] == ["p1", "p2"]
    portal.served = pages_of([customer("p1", "other.com", name="Renamed"), customer("p3", "three.com")])
    run = sync(service)
    assert (run.result["left_alone"], run.result["unchanged"], run.result["gone"]) == (1, 1, 0)
    kept = rows_of(store, PA.specific_id, PA.name, PA.main_domain, where=PA.gone_at.is_(None))
    assert kept == [
        ("p1", "Customer p1", "one.com"),
        ("p2", "Customer p2", "two.com"),
        ("p3", "Customer p3", "three.com"),
    ]
    switch(service, "p1", on=True)
    switch(service, "p2", on=True)
    run = sync(service)
    assert (run.result["changed"], run.result["gone"], "left_alone" in run.result) == (1, 1, False)
    assert rows_of(store, PA.name, where=PA.specific_id == "p1") == [("Renamed",)]
    said = [one.kind for one in read_record(service, VIEWER, id_of(store, "p1")).history]
    assert said == [DecisionKind.SYNC_ON, DecisionKind.SYNC_OFF]


def test_a_row_that_is_switched_off_is_left_alone_until_it_is_on_again(store: Store, home: Path) -> None:
    check_that_syncs_leave_a_row_alone(store, home)


@pytest.mark.postgres
def test_a_row_is_left_alone_on_postgresql_too(fresh_postgres: Store, home: Path) -> None:
    check_that_syncs_leave_a_row_alone(fresh_postgres, home)


def test_an_import_leaves_it_alone_too(store: Store, home: Path) -> None:
    service = make_service(store, home)
    provider = providers.add_manual_provider(service, ADMIN, "Harbour")
    sheet = csv_sheet(("Id", "Name"), ("m1", "Ant"), ("m2", "Bee"))
    places = guess_columns(sheet.headings, FIELDS)
    import_accounts(service, ANALYST, provider, sheet, places)
    switch(service, "m1", on=False)
    switch(service, "m2", on=False)
    renamed = csv_sheet(("Id", "Name"), ("m1", "Anteater"))
    preview = preview_accounts(service, ANALYST, provider, renamed, places)
    assert (dict(preview.counts), preview.missing, preview.shown) == ({"left_alone": 1}, 0, ())
    run = import_accounts(service, ANALYST, provider, renamed, places, AccountsChoice(full_list=True))
    assert run.result == {"left_alone": 1}
    assert rows_of(store, PA.name, where=PA.gone_at.is_(None)) == [("Ant",), ("Bee",)]


def test_switching_is_an_edit_as_every_other(store: Store, home: Path) -> None:
    service = make_service(store, home, portal=FakePortal(pages_of([customer("p1", "one.com")])))
    sync(service)
    row = id_of(store, "p1")
    with pytest.raises(InputError, match="is on already"):
        mapping.switch_sync(service, ANALYST, row, on=True, seen=0)
    decided = mapping.switch_sync(service, ANALYST, row, on=False, seen=0)
    assert (decided.row.is_synced, decided.row.version) == (False, decided.decision_id)
    with pytest.raises(StaleEdit, match="ben decided"):
        mapping.switch_sync(service, OTHER_ANALYST, row, on=True, seen=0)


def test_everybody_is_told_what_came_since_they_were_here(store: Store, home: Path) -> None:
    clock = FakeClock()
    portal = FakePortal(pages_of([customer("p1", "one.com")]))
    service = make_service(store, home, portal=portal, clock=clock)

    def new_to(actor: object) -> int | None:
        since = read_visit(service, actor)  # type: ignore[arg-type]
        return None if since is None else count(service, ADMIN, Filter(new_since=since))

    sync(service)
    assert new_to(ANALYST) is None
    clock.forward(minutes=20)
    portal.served = pages_of([customer(f"p{n}", f"d{n}.com") for n in (1, 2, 3)])
    sync(service)
    assert new_to(ANALYST) is None
    clock.forward(hours=20)
    portal.served = pages_of([customer(f"p{n}", f"d{n}.com") for n in (1, 2, 3, 4)])
    sync(service)
    clock.forward(minutes=1)
    assert (new_to(ANALYST), new_to(OTHER_ANALYST)) == (1, None)
    clock.forward(minutes=25)
    assert new_to(ANALYST) == 1
    clock.forward(hours=1)
    assert (new_to(ANALYST), new_to(OTHER_ANALYST)) == (0, 0)


def test_a_visit_is_noted_every_other_minute_and_ends_after_more_than_half_an_hour(store: Store, home: Path) -> None:
    clock = FakeClock()
    service = make_service(store, home, clock=clock)

    def look_after(minutes: float) -> tuple[bool, dt.datetime | None]:
        """Whether this look is noted, and when the visit before ended."""
        clock.forward(minutes=minutes)
        ended = read_visit(service, ANALYST)
        return rows_of(store, t.Visit.last_at) == [(clock(),)], ended

    assert look_after(0) == (True, None)
    assert look_after(1.99) == (False, None)
    assert look_after(0.01) == (True, None)
    assert look_after(30) == (True, None)
    last = clock()
    assert look_after(30.01) == (True, last)
