"""Daily syncs: set by admins and on record, started once however many workers look, caught up once, never doubled."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from service.fakes import (
    ADMIN,
    ANALYST,
    VIEWER,
    FakeClock,
    FakePortal,
    customer,
    make_service,
    pages_of,
    rows_of,
)

from w365.errors import InputError, NotFound
from w365.jobs import execute_run
from w365.model import ProviderKind, RunKind, RunState
from w365.service import Service
from w365.service.configuring import settings
from w365.service.connecting.stored_connections import ALWAYS_LISTED
from w365.service.syncing import providers
from w365.service.syncing.runs import request_sync
from w365.service.syncing.scheduler import start_due
from w365.service.syncing.schedules import Daily, get_schedule, list_schedules, save_schedules
from w365.store import tables as t
from w365.store.db.engine import Store, open_store
from w365.store.syncing.providers import remove_unused_provider

SIX = Daily(is_on=True, at=dt.time(6))
OFF = Daily(is_on=False, at=dt.time(6))
PROVIDER = "1"


@pytest.fixture
def clock() -> FakeClock:
    """Monday, 2 November 2026, 9 o'clock in UTC, 10 in Berlin."""
    return FakeClock()


@pytest.fixture
def service(store: Store, home: Path, clock: FakeClock) -> Service:
    made = make_service(store, home, portal=FakePortal(pages_of([customer("p1", "one.com")])), clock=clock)
    settings.set_setting(made, ADMIN, "schedule_zone", "Europe/Berlin")
    return made


def runs(store: Store) -> list[tuple[Any, ...]]:
    return rows_of(store, t.Run.id, t.Run.kind, t.Run.target, t.Run.state, t.Run.actor)


def forward(clock: FakeClock, to: str) -> None:
    clock.at = dt.datetime.fromisoformat(to).replace(tzinfo=dt.UTC)


def due(service: Service, target: str = PROVIDER) -> str:
    at = get_schedule(service, ADMIN, target).due_at
    return f"{at:%Y-%m-%d %H:%M}" if at else ""


def test_a_sync_starts_at_its_time_by_itself_with_the_match_after_it_and_is_due_again_tomorrow(
    service: Service, store: Store, clock: FakeClock
) -> None:
    save_schedules(service, ADMIN, {PROVIDER: SIX})
    assert due(service) == "2026-11-03 05:00"
    forward(clock, "2026-11-03T04:59")
    assert start_due(service) == []
    forward(clock, "2026-11-03T05:00")
    (run_id,) = start_due(service)
    assert start_due(service) == []
    assert execute_run(service, run_id).state is RunState.DONE
    assert runs(store) == [
        (1, "sync", "Partner Center", "done", "schedule"),
        (2, "match", "all", "done", "schedule"),
    ]
    view = get_schedule(service, VIEWER, PROVIDER)
    assert (due(service), view.last and view.last.id, view.note) == ("2026-11-04 05:00", run_id, "")


def test_the_crm_has_one_too_and_goes_first(service: Service, store: Store, clock: FakeClock) -> None:
    save_schedules(service, ADMIN, {PROVIDER: SIX, "crm": SIX})
    forward(clock, "2026-11-03T05:00")
    start_due(service)
    assert [row[1] for row in runs(store)] == ["crm_sync", "sync"]


def test_what_was_missed_for_days_is_made_up_for_once(service: Service, store: Store, clock: FakeClock) -> None:
    save_schedules(service, ADMIN, {PROVIDER: SIX})
    forward(clock, "2026-11-09T17:00")
    assert len(start_due(service)) == 1
    assert start_due(service) == []
    assert (len(runs(store)), due(service)) == (1, "2026-11-10 05:00")


def test_one_that_meets_a_sync_under_way_is_skipped_and_says_so_until_the_next_one(
    service: Service, store: Store, clock: FakeClock
) -> None:
    save_schedules(service, ADMIN, {PROVIDER: SIX})
    forward(clock, "2026-11-03T04:58")
    by_hand = request_sync(service, ANALYST, providers.PARTNER_CENTER)
    forward(clock, "2026-11-03T05:00")
    assert start_due(service) == []
    view = get_schedule(service, VIEWER, PROVIDER)
    assert view.note == "Skipped. This is running already: started by ben at 04:58 UTC."
    assert view.noted_at == clock()
    execute_run(service, by_hand)
    assert start_due(service) == []  # skipped is skipped; it is not due before tomorrow
    forward(clock, "2026-11-04T05:00")
    assert len(start_due(service)) == 1
    assert get_schedule(service, VIEWER, PROVIDER).note == ""


def test_what_is_off_never_starts_and_switched_on_late_waits_for_tomorrow(
    service: Service, store: Store, clock: FakeClock
) -> None:
    save_schedules(service, ADMIN, {PROVIDER: SIX})
    save_schedules(service, ADMIN, {PROVIDER: OFF})
    forward(clock, "2026-11-05T12:00")
    assert start_due(service) == []
    save_schedules(service, ADMIN, {PROVIDER: SIX})
    assert (start_due(service), due(service)) == ([], "2026-11-06 05:00")


def test_another_zone_moves_what_is_on_and_only_that(service: Service) -> None:
    save_schedules(service, ADMIN, {PROVIDER: SIX, "crm": OFF})
    settings.set_setting(service, ADMIN, "schedule_zone", "America/New_York")
    assert (due(service), due(service, "crm")) == ("2026-11-02 11:00", "")
    assert save_schedules(service, ADMIN, {"crm": SIX}, "Asia/Kathmandu") == 2
    assert (due(service), due(service, "crm")) == ("2026-11-03 00:15", "2026-11-03 00:15")
    with pytest.raises(InputError, match="schedule_zone: “Mars” is no time zone"):
        save_schedules(service, ADMIN, {PROVIDER: OFF}, "Mars")
    assert get_schedule(service, ADMIN, PROVIDER).daily == SIX


def test_every_change_is_on_record_and_saving_the_same_is_none(service: Service) -> None:
    late = Daily(is_on=True, at=dt.time(22, 15))
    assert [save_schedules(service, ADMIN, {PROVIDER: one}) for one in (SIX, late, late, OFF)] == [1, 1, 0, 1]
    changes = [(one.actor, one.name, one.old_value, one.value) for one in settings.list_changes(service, ANALYST)]
    assert changes[:3] == [
        ("ada", "daily sync: Partner Center", "daily at 22:15", "off"),
        ("ada", "daily sync: Partner Center", "daily at 06:00", "daily at 22:15"),
        ("ada", "daily sync: Partner Center", "off", "daily at 06:00"),
    ]


def test_they_are_set_only_of_what_can_be_synced(service: Service) -> None:
    manual = str(providers.add_manual_provider(service, ADMIN, "By hand"))
    assert [one.name for one in list_schedules(service, VIEWER)] == ["Partner Center", "CRM"]
    with pytest.raises(NotFound):
        save_schedules(service, ADMIN, {PROVIDER: SIX, manual: SIX})
    assert get_schedule(service, VIEWER, PROVIDER).daily == OFF


def test_a_provider_that_is_removed_takes_its_schedule_along(service: Service, store: Store, clock: FakeClock) -> None:
    """SQLite gives the id to the next provider, which must not inherit it."""
    with store.write() as database:
        insert = sa.insert(t.Provider).values(name="North", kind=ProviderKind.PARTNER_CENTER)
        north = int(database.execute(insert.returning(t.Provider.id)).scalar_one())
    save_schedules(service, ADMIN, {str(north): SIX})
    with store.write() as database:
        assert remove_unused_provider(database, north, always_listed=ALWAYS_LISTED)
    assert rows_of(store, t.Schedule.target) == []


def test_one_that_fails_is_a_failed_run_and_due_again_tomorrow(store: Store, home: Path, clock: FakeClock) -> None:
    def fail() -> None:
        raise InputError("No.", do="Mend it.")

    portal = FakePortal(pages_of([customer("p1", "one.com")]), {0: fail})
    service = make_service(store, home, portal=portal, clock=clock)
    settings.set_setting(service, ADMIN, "schedule_zone", "UTC")
    save_schedules(service, ADMIN, {PROVIDER: SIX})
    forward(clock, "2026-11-03T06:00")
    assert execute_run(service, start_due(service)[0]).state is RunState.FAILED
    assert due(service) == "2026-11-04 06:00"


# --- several workers ---


def start_at_once(urls: list[str], home: Path, clock: FakeClock) -> list[int]:
    """Let as many workers as there are urls look at the same moment; return the runs they started."""
    stores = [open_store(url) for url in urls]
    services = [make_service(one, home, clock=clock) for one in stores]
    gate = threading.Barrier(len(services))

    def look(service: Service) -> list[int]:
        gate.wait()
        return start_due(service)

    with ThreadPoolExecutor(len(services)) as pool:
        found = [run_id for ids in pool.map(look, services) for run_id in ids]
    for one in stores:
        one.close()
    return found


def check_started_once(store: Store, home: Path) -> None:
    clock = FakeClock()
    service = make_service(store, home, clock=clock)
    settings.set_setting(service, ADMIN, "schedule_zone", "UTC")
    save_schedules(service, ADMIN, {PROVIDER: SIX, "crm": SIX})
    url = store.engine.url.render_as_string(hide_password=False)
    for day in range(3, 6):
        forward(clock, f"2026-11-0{day}T06:00")
        assert len(start_at_once([url] * 4, home, clock)) == 2
        with store.write() as database:
            database.execute(sa.update(t.Run).values(state=RunState.DONE))  # or the next day would meet them
    assert sorted(row[1] for row in runs(store)) == [RunKind.CRM_SYNC] * 3 + [RunKind.SYNC] * 3
    assert {one.note for one in list_schedules(service, ADMIN)} == {""}


def test_of_several_workers_one_starts_it(store: Store, home: Path) -> None:
    check_started_once(store, home)


@pytest.mark.postgres
def test_of_several_workers_one_starts_it_on_postgresql(fresh_postgres: Store, home: Path) -> None:
    check_started_once(fresh_postgres, home)
