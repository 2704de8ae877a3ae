"""The sync of one provider: what it counts, what it changes, and what it never takes for gone by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from service.fakes import (
    ADMIN,
    ANALYST,
    FakeClock,
    FakeCrm,
    FakePortal,
    account,
    account_id_of,
    crm_sync,
    customer,
    id_of,
    make_service,
    pages_of,
    rows_of,
    subscription,
    sync,
)
from service.sync_steps import PA, contents, failing, many, result, three_pages

from w365.errors import InputError, SourceUnreachable, StoreError
from w365.http.wait import Waiting
from w365.model import RunKind, RunState
from w365.service import Service
from w365.service.configuring import settings
from w365.service.deciding import mapping
from w365.service.reading import records
from w365.service.syncing import runs
from w365.source_records import CustomerPage, Rejected
from w365.store import tables as t
from w365.store.db.engine import Store
from w365.store.reading.worklist import Filter
from w365.ui.frame.runs import say_result


def written_by(store: Store, act: Callable[[], object]) -> set[str]:
    """The tables of which a row was inserted, updated or deleted meanwhile, apart from the runs' own."""
    own = {"run", "run_seen", "run_problem", "snapshot", "crm_delta"}  # a change link is another every time
    with store.write() as connection:
        connection.exec_driver_sql("CREATE TABLE written (name)")
        for table in t.Base.metadata.tables.keys() - own:
            for verb in ("INSERT", "UPDATE", "DELETE"):
                connection.exec_driver_sql(
                    f"CREATE TRIGGER seen_{table}_{verb} AFTER {verb} ON {table} "
                    f"BEGIN INSERT INTO written VALUES ('{table}'); END"
                )
    act()
    with store.read() as connection:
        return set(connection.scalars(sa.text("SELECT name FROM written")))


def test_a_wait_is_said_while_it_lasts_and_no_longer(store: Store, home: Path) -> None:
    clock, portal, said = FakeClock(), FakePortal(pages_of(many(1), many(2))), []
    service = make_service(store, home, portal=portal, clock=clock)

    def beat(waiting: Waiting | None) -> None:
        portal.waiting = waiting
        clock.forward(seconds=2)
        portal.check()
        said.append(rows_of(store, t.Run.message)[0][0])

    def wait_and_go_on() -> None:
        beat(Waiting("Partner Center asked for a pause of 57 seconds.", until=0, seconds=12))
        beat(None)

    portal.before = {0: wait_and_go_on}
    sync(service)
    assert said == ["Waiting 12 seconds: Partner Center asked for a pause of 57 seconds.", ""]


# --- what it counts ---


def test_the_result_names_new_changed_unchanged_gone_returned_and_rejected(store: Store, home: Path) -> None:
    portal = FakePortal(pages_of(many(12)))
    service = make_service(store, home, portal=portal)
    assert result(sync(service)) == {"new": 12}
    listed = many(12)
    portal.served = pages_of([replace(listed[0], name="Renamed"), *listed[1:11]])
    assert result(sync(service)) == {"changed": 1, "unchanged": 10, "gone": 1}
    page = CustomerPage((replace(listed[0], name="Renamed"), *listed[1:]), (Rejected("p99", "name is missing."),))
    portal.served = [page]
    run = sync(service)
    assert result(run) == {"unchanged": 11, "returned": 1, "rejected": 1}
    assert runs.read_run(service, ADMIN, run.id)[1] == [("p99", "name is missing.")]


def test_a_second_sync_and_match_write_nothing_but_their_runs(store: Store, home: Path) -> None:
    crm = FakeCrm()
    crm.put(account("a1", email="x@p01.com"), account("a2", website="p02.com"), account("a3", website="p02.com"))
    listed = many(5, subscriptions=(subscription(1, 3),))
    service = make_service(store, home, portal=FakePortal(pages_of(listed[:2], listed[2:])), crm=crm)
    settings.set_setting(service, ADMIN, "auto_match", "true")
    crm_sync(service)
    sync(service)

    def again() -> None:
        sync(service)
        crm_sync(service)

    assert written_by(store, again) == set()


def test_a_customer_on_two_pages_is_counted_once(store: Store, home: Path) -> None:
    listed = many(3)
    service = make_service(store, home, portal=FakePortal(pages_of(listed[:2], [listed[1], listed[2]], [listed[0]])))
    run = sync(service)
    assert (result(run), run.done) == ({"new": 3}, 3)
    assert len(rows_of(store, PA.id)) == 3


def test_a_subscription_listed_twice_is_kept_once_and_is_no_change_the_next_time(store: Store, home: Path) -> None:
    twice = customer("p1", "p1.com", subscriptions=(subscription(1, 3), subscription(1, 5)))
    service = make_service(store, home, portal=FakePortal(pages_of([twice])))
    sync(service)
    assert rows_of(store, t.ProviderSubscription.quantity) == [(5,)]
    assert result(sync(service)) == {"unchanged": 1}


def test_a_name_that_is_no_domain_however_long_is_shown_and_never_evidence(store: Store, home: Path) -> None:
    service = make_service(store, home, portal=FakePortal(pages_of([customer("p1", "x" * 300, "p1.com")])))
    assert sync(service).state is RunState.DONE
    record = records.read_record(service, ADMIN, id_of(store, "p1"))
    assert {(len(one.name), one.kind) for one in record.domains} == {(253, "invalid"), (6, "own_name")}
    assert result(sync(service)) == {"unchanged": 1}


# --- what changes ---


def mapped(store: Store, home: Path, portal: FakePortal) -> tuple[Service, int, int]:
    """A service whose customer p1 is mapped to account a1 by hand."""
    crm = FakeCrm()
    crm.put(account("a1"), account("a2", website="added.com"))
    service = make_service(store, home, portal=portal, crm=crm)
    crm_sync(service)
    sync(service)
    row_id, account_id = id_of(store, "p1"), account_id_of(store, "a1")
    mapping.assign_account(service, ANALYST, row_id, account_id, seen=0)
    return service, row_id, account_id


def test_a_renamed_customer_keeps_its_mapping_and_shows_old_and_new(store: Store, home: Path) -> None:
    portal = FakePortal(pages_of([customer("p1", "old.com", name="Old")]))
    service, row_id, account_id = mapped(store, home, portal)
    portal.served = pages_of([customer("p1", "new.com", name="New")])
    sync(service)
    row = records.read_record(service, ADMIN, row_id).row
    assert (row.name, row.account_id, row.origin) == ("New", account_id, "manual")
    assert row.change.startswith("renamed: Old → New; default domain: old.com → new.com")
    found = records.list_rows(service, ADMIN, Filter(text="new"))
    assert ([one.id for one in found], records.count(service, ADMIN, Filter(text="old"))) == ([row_id], 0)


def test_an_added_domain_is_proposed_at_once(store: Store, home: Path) -> None:
    portal = FakePortal(pages_of([customer("p1", "old.com")]))
    service, row_id, _ = mapped(store, home, portal)
    assert rows_of(store, t.CurrentProposal.kind) == [("none",)]
    portal.served = pages_of([customer("p1", "old.com", "added.com")])
    sync(service)
    assert rows_of(store, t.CurrentProposal.kind, t.CurrentProposal.account_id) == [("one", account_id_of(store, "a2"))]
    assert "domain added: added.com" in records.read_record(service, ADMIN, row_id).row.change


def test_what_the_provider_would_not_tell_stays_as_it_is_stored(store: Store, home: Path) -> None:
    known = customer("p1", "p1.com", "second.com", subscriptions=(subscription(1, 3),))
    portal = FakePortal(pages_of([known]))
    service = make_service(store, home, portal=portal)
    sync(service)
    portal.served = pages_of([replace(known, domains=None, subscriptions=None, note="Domains were refused.")])
    run = sync(service)
    record = records.read_record(service, ADMIN, id_of(store, "p1"))
    assert {one.name for one in record.domains} == {"p1.com", "second.com"}
    assert (record.row.seats, record.note, run.result["incomplete"]) == (3, "Domains were refused.", 1)


def test_a_gone_customer_keeps_mapping_and_history_and_the_same_row_returns(store: Store, home: Path) -> None:
    listed = [customer("p1", "p1.com"), customer("p2", "p2.com")]
    portal = FakePortal(pages_of(listed))
    service, row_id, account_id = mapped(store, home, portal)
    portal.served = pages_of(listed[1:])
    sync(service)
    gone = records.read_record(service, ADMIN, row_id)
    assert (gone.row.is_gone, gone.row.account_id, len(gone.history)) == (True, account_id, 1)
    portal.served = pages_of(listed)
    sync(service)
    back = records.read_record(service, ADMIN, row_id)
    assert (back.row.is_gone, back.row.account_id, back.row.change) == (False, account_id, "returned")


# --- the guard ---


def test_a_mass_disappearance_marks_nothing_until_an_admin_confirms_it(store: Store, home: Path) -> None:
    portal = FakePortal(pages_of(many(20)))
    service = make_service(store, home, portal=portal)
    sync(service)
    portal.served = pages_of(many(15))
    run = sync(service)
    assert run.state is RunState.FAILED
    assert run.error.startswith("5 of 20 customers are missing from the provider's list, more than 20 %.")
    assert rows_of(store, PA.id, where=PA.gone_at.is_not(None)) == []
    assert runs.confirm_gone(service, ADMIN, run.id) == 5
    assert [row[0] for row in rows_of(store, PA.specific_id, where=PA.gone_at.is_not(None))] == [
        f"p{number}" for number in range(15, 20)
    ]
    assert runs.read_run(service, ADMIN, run.id)[0].state is RunState.DONE
    with pytest.raises(InputError):
        runs.confirm_gone(service, ADMIN, run.id)


@pytest.mark.parametrize(("known", "left", "is_stopped"), [(10, 8, False), (10, 7, True), (9, 1, False)])
def test_the_guard_lets_a_fifth_go_and_asks_from_ten_customers_on(
    store: Store, home: Path, known: int, left: int, *, is_stopped: bool
) -> None:
    portal = FakePortal(pages_of(many(known)))
    service = make_service(store, home, portal=portal)
    sync(service)
    portal.served = pages_of(many(left))
    assert (sync(service).state is RunState.FAILED) is is_stopped
    assert len(rows_of(store, PA.id, where=PA.gone_at.is_not(None))) == (0 if is_stopped else known - left)


def test_a_run_that_failed_for_another_reason_cannot_be_confirmed(store: Store, home: Path) -> None:
    portal = FakePortal(pages_of(many(20)))
    service = make_service(store, home, portal=portal)
    sync(service)
    portal.before[0] = failing(SourceUnreachable("No answer."))
    run = sync(service)
    with pytest.raises(InputError, match="Only the latest sync"):
        runs.confirm_gone(service, ADMIN, run.id)
    assert rows_of(store, PA.id, where=PA.gone_at.is_not(None)) == []


def test_an_empty_list_where_customers_were_marks_nothing(store: Store, home: Path) -> None:
    portal = FakePortal(pages_of(many(10)))
    service = make_service(store, home, portal=portal)
    sync(service)
    portal.served = pages_of([])
    assert sync(service).state is RunState.FAILED
    assert rows_of(store, PA.id, where=PA.gone_at.is_not(None)) == []


# --- one side fails, the other goes on ---


def test_a_failing_crm_does_not_harm_what_the_provider_gave(store: Store, home: Path) -> None:
    crm = FakeCrm()
    crm.put(*(account(f"a{number}") for number in range(4)))
    crm.before["accounts"] = failing(SourceUnreachable("The CRM does not answer."))
    service = make_service(store, home, portal=FakePortal(pages_of(many(3))), crm=crm)
    sync(service)
    before = contents(store)["rows"]
    run = crm_sync(service)
    assert (run.state, run.error) == (RunState.FAILED, "The CRM does not answer.")
    assert contents(store)["rows"] == before
    assert result(sync(service)) == {"unchanged": 3}


def test_a_full_disk_fails_the_run_with_its_sentence(store: Store, home: Path) -> None:
    portal = FakePortal(three_pages(), {1: failing(StoreError("The disk is full.", do="Free some space."))})
    run = sync(make_service(store, home, portal=portal))
    assert (run.state, run.error, run.kind) == (RunState.FAILED, "The disk is full. Free some space.", RunKind.SYNC)


def test_fields_nobody_knows_are_counted_in_the_result_and_named_in_the_log(
    store: Store, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pages = [replace(page, ignored_fields=frozenset({"mood"})) for page in pages_of(many(1), many(2)[1:])]
    pages[1] = replace(pages[1], ignored_fields=frozenset({"mood", "companyProfile.hat"}))
    with caplog.at_level("INFO", logger="w365"):
        run = sync(make_service(store, home, portal=FakePortal(pages)))
    assert say_result(run) == (
        "2 new, 0 changed, 0 unchanged, 0 gone, 0 rejected; 2 unknown fields of the records ignored, named in the log"
    )
    assert "companyProfile.hat, mood" in caplog.text


def test_a_domain_that_moves_to_another_tenant_is_the_others_and_both_rows_say_so(store: Store, home: Path) -> None:
    portal = FakePortal(pages_of([customer("p1", "one.com", "moved.com"), customer("p2", "two.com")]))
    service = make_service(store, home, portal=portal)
    sync(service)
    portal.served = pages_of([customer("p1", "one.com"), customer("p2", "two.com", "moved.com")])
    assert result(sync(service)) == {"changed": 2}
    assert rows_of(store, PA.specific_id, PA.change) == [
        ("p1", "domain removed: moved.com"),
        ("p2", "domain added: moved.com"),
    ]
    holder = t.ProviderAccountDomain.provider_account_id
    owners = rows_of(store, holder, where=t.ProviderAccountDomain.domain == "moved.com")
    assert owners == [(id_of(store, "p2"),)]
