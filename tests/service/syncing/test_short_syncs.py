"""Between two full syncs only what the provider's record of changes names is read, where an admin wants that."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from fresh_stores import put_migrated
from service.fakes import (
    ADMIN,
    FakeClock,
    FakePortal,
    customer,
    make_service,
    pages_of,
    rows_of,
    sync,
)

from tests.servers import ADATUM, BELLOWS, running
from w365.config import load_settings
from w365.demo.partner_center.audit import AuditRecords
from w365.errors import SourceChanged, SourceRefused, SourceUnreachable, W365Error
from w365.jobs import execute_run
from w365.model import RunState
from w365.portals.gaps import PASSING
from w365.portals.protocol import Choose
from w365.service import Service
from w365.service.bootstrap import open_service
from w365.service.configuring.settings import set_setting, set_settings
from w365.service.syncing.providers import PARTNER_CENTER
from w365.service.syncing.runs import request_sync
from w365.source_records import Customer, CustomerPage
from w365.store import tables as t
from w365.store.db.engine import Store
from w365.ui.frame.runs import say_result

PA = t.ProviderAccount


@dataclass
class TellingPortal(FakePortal):
    """A provider with a record of changes: `named` is what it tells."""

    named: set[str] = field(default_factory=set)
    refusal: W365Error | None = None
    since: list[dt.datetime] = field(default_factory=list)
    read_whole: list[str] = field(default_factory=list)

    def changed_since(self, since: dt.datetime) -> frozenset[str]:
        self.since.append(since)
        if self.refusal:
            raise self.refusal
        return frozenset(self.named)

    def pages(self, cursor: str | None = None, *, choose: Choose | None = None) -> Iterator[CustomerPage]:
        for page in super().pages(cursor):
            chosen = tuple(choose(page.customers) if choose else page.customers)
            self.read_whole += [one.specific_id for one in chosen]
            yield replace(page, customers=chosen)


def whole(portal: TellingPortal) -> list[str]:
    read, portal.read_whole = portal.read_whole, []
    return read


def three(**facts: str) -> list[Customer]:
    return [customer(f"p{n}", f"p{n}.com", relationship="reseller", **facts) for n in (1, 2, 3)]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def portal() -> TellingPortal:
    return TellingPortal(pages_of(three()[:2], three()[2:]))


@pytest.fixture
def service(store: Store, home: Path, portal: TellingPortal, clock: FakeClock) -> Service:
    made = make_service(store, home, portal=portal, clock=clock)
    set_setting(made, ADMIN, "change_feed", "true")
    return made


def test_nothing_is_asked_of_the_record_unless_an_admin_wants_it(service: Service, portal: TellingPortal) -> None:
    set_setting(service, ADMIN, "change_feed", "false")
    sync(service)
    sync(service)
    assert whole(portal) == ["p1", "p2", "p3"] * 2
    assert portal.since == []


def test_what_is_named_new_or_listed_otherwise_is_read_and_nobody_is_gone(
    service: Service, store: Store, portal: TellingPortal, clock: FakeClock
) -> None:
    begun = clock()
    assert whole(portal) == []
    sync(service)
    assert whole(portal) == ["p1", "p2", "p3"]
    clock.forward(hours=3)
    renamed = replace(three()[1], name="Renamed")
    portal.served = pages_of([renamed, customer("p4", "p4.com")], [three()[2]])
    portal.named = {"p3"}
    run = sync(service)
    assert whole(portal) == ["p2", "p4", "p3"]
    assert portal.since == [begun - dt.timedelta(hours=1)]
    assert run.result["by_changes"] == 1
    assert (run.result["new"], run.result["changed"], run.result["unchanged"]) == (1, 1, 1)
    assert say_result(run).endswith("; only what the audit records name was read")
    assert rows_of(store, PA.specific_id, where=PA.gone_at.is_not(None)) == []
    full = execute_run(service, request_sync(service, ADMIN, PARTNER_CENTER, full=True))
    assert "by_changes" not in full.result
    assert rows_of(store, PA.specific_id, where=PA.gone_at.is_not(None)) == [("p1",)]


def test_a_full_sync_is_due_after_so_many_days_however_many_short_ones_there_were(
    service: Service, portal: TellingPortal, clock: FakeClock
) -> None:
    set_settings(service, ADMIN, {"full_sync_days": "2"})
    kinds = []
    for _ in range(6):
        kinds.append("by_changes" in sync(service).result)
        clock.forward(hours=23)
    assert kinds == [False, True, True, False, True, True]


@pytest.mark.parametrize("refusal", [SourceRefused("Not told.", status=403), SourceChanged("Another shape.")])
def test_a_record_that_cannot_be_read_makes_a_full_sync_that_says_so(
    service: Service, portal: TellingPortal, refusal: W365Error
) -> None:
    sync(service)
    portal.refusal = refusal
    run = sync(service)
    assert run.state is RunState.DONE
    assert whole(portal) == ["p1", "p2", "p3"] * 2
    assert say_result(run).endswith("; a full sync, as the audit records could not be read")


def test_one_that_met_an_error_of_the_provider_and_one_that_came_back_are_read_again(
    service: Service, store: Store, portal: TellingPortal
) -> None:
    portal.served = pages_of([replace(three()[0], note=f"Subscriptions were not read: {PASSING}"), three()[1]])
    sync(service)
    with store.write() as connection:
        connection.execute(sa.update(PA).where(PA.specific_id == "p2").values(gone_at=FakeClock()()))
    whole(portal)
    portal.served = pages_of(three()[:2])
    run = sync(service)
    assert whole(portal) == ["p1", "p2"]
    assert (run.result["changed"], run.result["returned"]) == (1, 1)


def test_through_the_demo_a_short_sync_makes_two_calls_more_than_the_customers_named_need(tmp_path: Path) -> None:
    with running(tmp_path / "demo") as servers:
        settings = load_settings(servers.environment() | {"W365_HOME": str(tmp_path)}, tmp_path / "none.toml")
        put_migrated(tmp_path)
        service = open_service(settings)
        set_setting(service, ADMIN, "change_feed", "true")
        first = execute_run(service, request_sync(service, ADMIN, PARTNER_CENTER))
        assert first.result["new"] == 5
        audit = AuditRecords(tmp_path / "demo" / "audit.jsonl")
        audit.append(ADATUM, "update_subscription", dt.datetime.now(dt.UTC))
        audit.append(BELLOWS, "create_order", dt.datetime.now(dt.UTC) - dt.timedelta(days=5))
        servers.faults.seen.clear()
        run = execute_run(service, request_sync(service, ADMIN, PARTNER_CENTER))
        asked = [one.target.partition("?")[0] for one in servers.faults.seen if one.service == "partner_center"]
        service.store.close()
    assert run.result["unchanged"] == 1
    assert sorted(asked) == [
        "/v1/auditrecords",
        "/v1/customers",
        f"/v1/customers/{ADATUM}/customDomains",
        f"/v1/customers/{ADATUM}/subscriptions",
    ]


def test_what_changed_since_the_first_page_of_a_continued_sync_is_read(
    service: Service, portal: TellingPortal, clock: FakeClock, store: Store
) -> None:
    set_setting(service, ADMIN, "change_feed", "true")
    portal.content = pages_of(three()[:2], three()[2:])

    def late() -> None:
        clock.forward(hours=3)
        with store.write() as connection:
            connection.execute(sa.update(t.Run).values(heartbeat_at=clock.at))
        raise SourceUnreachable("The line was down.")

    began = clock.at
    portal.before = {1: late}
    sync(service)
    portal.before = {}
    clock.forward(minutes=10)
    assert sync(service).state is RunState.DONE
    clock.forward(hours=1)
    sync(service)
    assert portal.since == [began - dt.timedelta(hours=1)]
