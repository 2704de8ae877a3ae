"""The sync of the CRM: full the first time, what changed afterwards, and what each change reaches."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from fresh_stores import make_once
from service.fakes import (
    ADMIN,
    ANALYST,
    FakeCrm,
    FakePortal,
    account,
    account_id_of,
    add_domain,
    claimed,
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

from w365.errors import SourceUnreachable
from w365.model import DomainList, RunState
from w365.service import Service
from w365.service.configuring import settings
from w365.service.deciding import mapping
from w365.service.reading import account_lookup, records
from w365.service.syncing import runs
from w365.service.syncing.crm import run_crm_sync
from w365.service.syncing.crm_cursor import cursor_within
from w365.source_records import Rejected
from w365.store import tables as t
from w365.store.db.engine import Store
from w365.store.reading.worklist import Filter
from w365.store.runs import Progress

FOLDED = (t.AccountDomain.domain, t.Account.crm_id, t.AccountDomain.rule, t.AccountDomain.contacts)


@pytest.fixture
def crm() -> FakeCrm:
    found = FakeCrm()
    found.put(account("a1", email="info@one.com"), account("a2", website="two.com"), account("a3"))
    found.put(contact("c1", "a1", "one.com"), contact("c2", "a1", "one.com"), contact("c3", "a3", "three.com"))
    return found


@pytest.fixture
def service(store: Store, home: Path, crm: FakeCrm) -> Service:
    listed = [customer(f"p{place}", f"{name}.com") for place, name in enumerate(("one", "two", "three"), start=1)]
    made = make_service(store, home, portal=FakePortal(pages_of(listed)), crm=crm)
    make_once(store, "three customers and no account", lambda: sync(made))
    return made


def folded(store: Store) -> set[tuple[object, ...]]:
    found = rows_of(store, *FOLDED, where=t.Account.id == t.AccountDomain.account_id)
    return {(domain, crm_id, rule.rpartition("_")[2], contacts) for domain, crm_id, rule, contacts in found}


def statuses(store: Store) -> dict[str, str]:
    return dict(rows_of(store, t.Worklist.specific_id, t.Worklist.reason))


def test_the_first_read_is_full_and_the_second_asks_for_changes_only(service: Service, crm: FakeCrm) -> None:
    run = crm_sync(service)
    assert crm.asked == [("accounts", None), ("contacts", None)]
    assert (run.result["accounts_new"], run.result["contacts_new"], run.done) == (3, 3, 6)
    crm.asked.clear()
    again = crm_sync(service)
    assert [since is None for _, since in crm.asked] == [False, False]
    assert not any(count for word, count in again.result.items() if not word.endswith("_unchanged"))


def test_contacts_are_folded_to_one_row_an_account_domain_and_rule(service: Service, store: Store) -> None:
    crm_sync(service)
    assert folded(store) == {
        ("one.com", "a1", "domain", 2),
        ("one.com", "a1", "email", 0),
        ("two.com", "a2", "website", 0),
        ("three.com", "a3", "domain", 1),
    }
    assert statuses(store) == {"p1": "rule", "p2": "rule", "p3": "rule"}


def test_a_contact_that_comes_before_its_account_counts_when_the_account_arrives(
    service: Service, crm: FakeCrm, store: Store
) -> None:
    crm.put(contact("c9", "a9", "two.com"))
    crm_sync(service)
    assert "a9" not in {row[1] for row in folded(store)}
    crm.put(account("a9"))
    crm_sync(service)
    assert ("two.com", "a9", "domain", 1) in folded(store)
    assert statuses(store)["p2"] == "several_accounts"


def test_a_contact_that_moves_takes_its_domain_along(service: Service, crm: FakeCrm, store: Store) -> None:
    crm_sync(service)
    crm.put(contact("c3", "a2", "three.com"))
    run = crm_sync(service)
    assert run.result["contacts_changed"] == 1
    assert {row[1] for row in folded(store) if row[0] == "three.com"} == {"a2"}
    assert rows_of(
        store, t.CurrentProposal.account_id, where=t.CurrentProposal.provider_account_id == id_of(store, "p3")
    ) == [(account_id_of(store, "a2"),)]


def test_what_other_contacts_of_its_account_say_stays(service: Service, crm: FakeCrm, store: Store) -> None:
    crm_sync(service)
    before = folded(store)
    crm.put(contact("c4", "a1", "four.com"))
    crm_sync(service)
    assert folded(store) == before | {("four.com", "a1", "domain", 1)}
    crm.drop("c4")
    crm_sync(service)
    assert folded(store) == before


def test_a_contact_concerns_who_has_its_domain_and_nobody_by_a_listed_one(
    service: Service, crm: FakeCrm, store: Store
) -> None:
    crm_sync(service)
    add_domain(service, DomainList.SHARED, "two.com")
    match(service)
    crm.put(contact("c4", "a1", "two.com"), contact("c5", "a1", "three.com"))
    run = claimed(service, runs.request_crm_sync(service, ADMIN))
    run_crm_sync(service, run, Progress(store, run.id, service.clock))  # and no match after it
    touched = rows_of(store, t.ProviderAccount.specific_id, where=t.ProviderAccount.id == t.Touched.provider_account_id)
    assert touched == [("p1",), ("p3",)]


def test_deleted_and_deactivated_accounts_support_nothing_and_mappings_to_them_stay(
    service: Service, crm: FakeCrm, store: Store
) -> None:
    crm_sync(service)
    row_id, account_id = id_of(store, "p2"), account_id_of(store, "a2")
    mapping.assign_account(service, ANALYST, row_id, account_id, seen=0)
    crm.drop("a2")
    crm.put(account("a3", is_active=False))
    run = crm_sync(service)
    assert (run.result["accounts_gone"], run.result["accounts_changed"]) == (1, 1)
    assert statuses(store) == {"p1": "rule", "p2": "inactive_account", "p3": "inactive_account"}
    row = records.read_record(service, ADMIN, row_id).row
    assert (row.account_id, row.account_gone, row.account_name) == (account_id, True, "Account a2")
    assert [hit.name for hit in account_lookup.search_accounts(service, ADMIN, "account a2")] == []


def test_a_deleted_contact_takes_its_domain_away(service: Service, crm: FakeCrm, store: Store) -> None:
    crm_sync(service)
    crm.drop("c3")
    assert crm_sync(service).result["contacts_gone"] == 1
    assert statuses(store)["p3"] == "no_account"


def test_an_expired_change_link_leads_to_one_full_read_that_finds_what_went_missing(
    service: Service, crm: FakeCrm, store: Store
) -> None:
    crm_sync(service)
    crm.expired = {link for link in crm._links if link.startswith("contacts")}
    crm.asked.clear()
    crm.drop("c3")
    run = crm_sync(service)
    assert (run.state, run.result["contacts_gone"]) == (RunState.DONE, 1)
    assert [table for table, since in crm.asked if since is None] == ["contacts"]
    assert statuses(store)["p3"] == "no_account"


def test_a_crm_that_tracks_no_changes_is_read_in_full_every_time(service: Service, crm: FakeCrm, store: Store) -> None:
    crm.tracks = False
    crm_sync(service)
    crm.drop("a2")
    assert crm_sync(service).result["accounts_gone"] == 1
    assert {since for _, since in crm.asked} == {None}


def test_what_went_missing_on_mass_is_dropped_by_the_first_read_that_is_allowed_to(
    service: Service, crm: FakeCrm, store: Store
) -> None:
    """A change link kept before the guard has let the read pass would hide the missing ones for ever."""
    crm.tracks = False
    crm.put(*(account(f"b{number}") for number in range(12)))
    crm_sync(service)
    crm.tracks = True
    crm.drop(*(f"b{number}" for number in range(12)))
    run = crm_sync(service)
    assert run.state is RunState.FAILED
    assert run.error.startswith("12 of 15 accounts are missing from the CRM's list")
    assert rows_of(store, t.Account.id, where=t.Account.is_deleted) == []
    settings.set_setting(service, ADMIN, "gone_guard_percent", "100")
    assert crm_sync(service).result["accounts_gone"] == 12


@pytest.mark.parametrize(("known", "left", "is_stopped"), [(10, 8, False), (10, 7, True), (9, 1, False)])
def test_the_guard_lets_a_fifth_of_the_accounts_go_and_asks_from_ten_on(
    service: Service, crm: FakeCrm, store: Store, known: int, left: int, *, is_stopped: bool
) -> None:
    crm.tracks = False
    names = ["a1", "a2", "a3", *(f"b{number}" for number in range(known - 3))]
    crm.put(*(account(name) for name in names))
    crm_sync(service)
    crm.drop(*names[left:])
    assert (crm_sync(service).state is RunState.FAILED) is is_stopped
    assert len(rows_of(store, t.Account.id, where=t.Account.is_deleted)) == (0 if is_stopped else known - left)


def fail() -> None:
    raise SourceUnreachable("No answer.")


def test_a_full_read_cut_short_goes_on_after_the_page_it_had(service: Service, crm: FakeCrm, store: Store) -> None:
    crm.before["contacts"] = fail
    failed = crm_sync(service)
    assert (failed.state, cursor_within(failed.cursor, "contacts")) == (RunState.FAILED, "contacts after 1")
    crm.before.clear()
    crm.asked.clear()
    run = crm_sync(service)
    assert crm.asked == [("accounts", "accounts-0"), ("contacts", "contacts after 1")]
    assert (run.state, run.cursor, run.result["contacts_new"]) == (RunState.DONE, None, 3)
    assert len(rows_of(store, t.Contact.crm_id)) == 3
    crm.asked.clear()
    crm_sync(service)
    assert [since for _, since in crm.asked] == ["accounts-2", "contacts-3"]


def test_what_vanished_while_a_full_read_was_interrupted_is_found(service: Service, crm: FakeCrm, store: Store) -> None:
    """The CRM no longer takes the place: the read begins again, and what it met before does not count."""
    crm.before["contacts"] = fail
    crm_sync(service)
    met = rows_of(store, t.Contact.crm_id)
    assert len(met) == 2
    crm.before.clear()
    crm.drop(met[0][0])
    crm.expired.add("contacts after 1")
    run = crm_sync(service)
    assert (run.state, run.result["contacts_gone"]) == (RunState.DONE, 1)
    assert len(rows_of(store, t.Contact.crm_id)) == 2
    assert met[0] not in rows_of(store, t.Contact.crm_id)


def test_a_place_of_yesterday_or_of_nowhere_is_not_gone_on_from(service: Service, crm: FakeCrm, store: Store) -> None:
    crm.before["contacts"] = fail
    crm_sync(service)
    with store.write() as connection:
        connection.execute(sa.update(t.Run).values(cursor="no place at all"))
    crm.before.clear()
    crm.asked.clear()
    crm_sync(service)
    assert crm.asked[-1] == ("contacts", None)
    assert len(rows_of(store, t.Contact.crm_id)) == 3


def test_a_rejected_record_is_named_and_not_taken_for_gone(service: Service, crm: FakeCrm, store: Store) -> None:
    crm.tracks = False
    crm_sync(service)
    crm.drop("a2")
    crm.rejected = (Rejected("a2", "statecode is missing."),)
    run = crm_sync(service)
    assert (run.result["accounts_rejected"], run.result["accounts_gone"]) == (1, 0)


def test_naming_the_tenant_guid_column_reads_all_accounts_once_more(service: Service, crm: FakeCrm) -> None:
    crm_sync(service)
    crm.asked.clear()
    settings.set_setting(service, ADMIN, "tenant_guid_column", "new_tenantid")
    crm_sync(service)
    assert [table for table, since in crm.asked if since is None] == ["accounts"]


def test_a_renamed_account_is_shown_sorted_and_found_by_its_new_name(
    service: Service, crm: FakeCrm, store: Store
) -> None:
    crm_sync(service)
    row_id = id_of(store, "p1")
    mapping.assign_account(service, ANALYST, row_id, account_id_of(store, "a2"), seen=0)
    crm.put(account("a2", name="Zebra", website="two.com"))
    crm_sync(service)
    assert rows_of(store, t.Worklist.account_key, where=t.Worklist.provider_account_id == row_id) == [("zebra",)]
    assert [row.id for row in records.list_rows(service, ADMIN, Filter(text="zebra"))] == [row_id]
    assert records.count(service, ADMIN, Filter(text="account a2")) == 0


def test_a_candidate_that_was_deleted_is_suggested_no_more(service: Service, crm: FakeCrm, store: Store) -> None:
    crm.put(account("b1", name="Customer p3"))
    crm_sync(service)
    suggested = t.CurrentCandidate.account_id == account_id_of(store, "b1")
    assert len(rows_of(store, t.CurrentCandidate.rank, where=suggested)) == 3
    crm.drop("b1")
    crm_sync(service)
    assert rows_of(store, t.CurrentCandidate.rank, where=suggested) == []


def test_a_full_sync_uses_no_link_to_changes_and_none_into_a_list_begun_before(service: Service, crm: FakeCrm) -> None:
    crm_sync(service)
    for steps in ({}, {"contacts": fail}, {}):
        crm.before = dict(steps)
        crm.asked.clear()
        run = crm_sync(service, full=True)
        assert crm.asked == [("accounts", None), ("contacts", None)]
    assert (run.state, run.result["accounts_unchanged"], run.result["contacts_unchanged"]) == (RunState.DONE, 3, 3)
