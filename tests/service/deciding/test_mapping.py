"""Decisions of people: each is saved whole with its evidence, or refused with who or what stands against it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from service.decision_steps import assign, auto_match, everything, mappings
from service.fakes import (
    ADMIN,
    ANALYST,
    OTHER_ANALYST,
    FakeClock,
    FakeCrm,
    FakePortal,
    account_id_of,
    contact,
    crm_sync,
    customer,
    id_of,
    make_service,
    match,
    pages_of,
    rows_of,
    set_provider_cardinality,
    sync,
    without_guards,
)

from w365.errors import InputError, NotFound, PolicyBreach, StaleEdit
from w365.model import Cardinality, Reason, Status
from w365.service import Service
from w365.service.configuring import settings
from w365.service.deciding import mapping
from w365.service.reading import account_lookup, records
from w365.service.syncing import providers
from w365.source_records import NewAccount
from w365.store import tables as t
from w365.store.db.engine import Store

# --- what a decision leaves ---


def test_an_assignment_is_kept_with_who_when_and_its_evidence(service: Service) -> None:
    decided = assign(service, "p1", "a1")
    assert (decided.row.status, decided.row.account_name, decided.row.version) == (
        Status.MAPPED,
        "Account a1",
        decided.decision_id,
    )
    (entry,) = records.read_record(service, ADMIN, decided.row.id).history
    assert (entry.actor, entry.at, entry.account, entry.run_id) == ("ben", service.clock(), "Account a1", None)
    assert len(entry.evidence) == 1
    assert "one.com" in entry.evidence[0]


def test_an_assignment_ends_exclusion_and_the_rejection_of_that_account(service: Service, store: Store) -> None:
    row_id, account_id = id_of(store, "p1"), account_id_of(store, "a1")
    rejected = mapping.reject_candidate(service, ANALYST, row_id, account_id, seen=0)
    parked = mapping.exclude_row(service, ANALYST, row_id, seen=rejected.decision_id, reason="test tenant")
    assign(service, "p1", "a1", seen=parked.decision_id)
    assert rows_of(store, t.Rejection.account_id) == []
    assert rows_of(store, t.StandingOrder.kind) == []


def test_a_cleared_automatic_mapping_does_not_come_back(service: Service, store: Store) -> None:
    auto_match(service)
    assert mappings(store) == {"p1": ("a1", "auto")}
    row_id = id_of(store, "p1")
    seen = records.read_record(service, ADMIN, row_id).row.version
    cleared = mapping.clear_mapping(service, ANALYST, row_id, seen=seen, reason="not theirs")
    assert (cleared.row.status, cleared.row.reason) == (Status.UNMAPPED, Reason.REJECTED)
    assert match(service).result["mapped"] == 0
    record = records.read_record(service, ADMIN, row_id)
    assert [one.hit.name for one in record.rejected] == ["Account a1"]
    assert [one.hit.name for one in record.candidates if one.hit.name == "Account a1"] == []


def test_a_cleared_mapping_made_by_hand_is_proposed_again(service: Service, store: Store) -> None:
    decided = assign(service, "p1", "a1")
    cleared = mapping.clear_mapping(service, ANALYST, decided.row.id, seen=decided.decision_id)
    assert (cleared.row.status, cleared.row.reason) == (Status.UNMAPPED, Reason.RULE)


def test_a_rejection_never_causes_a_mapping(service: Service, store: Store) -> None:
    mapping.reject_candidate(service, ANALYST, id_of(store, "p2"), account_id_of(store, "a2"), seen=0)
    auto_match(service)
    assert mappings(store) == {"p1": ("a1", "auto")}
    assert records.read_record(service, ADMIN, id_of(store, "p2")).row.status is Status.CONFLICT


def test_a_rejected_candidate_leaves_the_grid_at_once_and_the_next_moves_up(service: Service, store: Store) -> None:
    row_id = id_of(store, "p2")
    first, *others = account_lookup.candidates_of(service, ADMIN, row_id)
    decided = mapping.reject_candidate(service, ANALYST, row_id, first.account_id, seen=0)
    assert account_lookup.candidates_of(service, ADMIN, row_id) == others
    assert decided.row.candidate_name == others[0].name


def test_a_rejection_taken_back_counts_no_more(service: Service, store: Store) -> None:
    row_id, account_id = id_of(store, "p1"), account_id_of(store, "a1")
    decided = mapping.reject_candidate(service, ANALYST, row_id, account_id, seen=0)
    mapping.take_back_rejection(service, ANALYST, row_id, account_id, seen=decided.decision_id)
    auto_match(service)
    assert mappings(store) == {"p1": ("a1", "auto")}


@pytest.mark.parametrize("verb", ["exclude_row", "park_row"])
def test_what_was_set_aside_is_never_mapped_by_a_match(service: Service, store: Store, verb: str) -> None:
    row_id = id_of(store, "p1")
    aside = getattr(mapping, verb)(service, ANALYST, row_id, seen=0, reason="test  tenant")
    assert aside.row.status in (Status.EXCLUDED, Status.PARKED)
    auto_match(service)
    sync(service)
    assert mappings(store) == {}
    assert records.read_record(service, ADMIN, row_id).disposition_reason == "test tenant"
    mapping.reopen_row(service, ANALYST, row_id, seen=aside.decision_id)
    assert match(service).result["mapped"] == 1


def test_a_match_never_changes_what_a_person_decided(service: Service, store: Store) -> None:
    assign(service, "p1", "a3")
    auto_match(service)
    assert mappings(store) == {"p1": ("a3", "manual")}


# --- what is refused ---


def test_the_second_of_two_is_told_who_was_first_and_changes_nothing(service: Service, store: Store) -> None:
    row_id = id_of(store, "p1")
    mapping.assign_account(service, OTHER_ANALYST, row_id, account_id_of(store, "a2"), seen=0)
    mapping.clear_mapping(service, OTHER_ANALYST, row_id, seen=version(store))
    before = everything(store)
    with pytest.raises(StaleEdit, match=r"cleo decided this row at 09:00 UTC, after you had opened it\. Their"):
        assign(service, "p1", "a1")
    assert everything(store) == before


def version(store: Store) -> int:
    return int(max(row[0] for row in rows_of(store, t.Decision.id)))


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (lambda service, row: mapping.clear_mapping(service, ANALYST, row, seen=0), "is not mapped"),
        (lambda service, row: mapping.reopen_row(service, ANALYST, row, seen=0), "is open already"),
        (lambda service, row: mapping.exclude_row(service, ANALYST, row, seen=0, reason="  "), "A reason is needed"),
        (lambda service, row: mapping.park_row(service, ANALYST, row, seen=0, reason=""), "A reason is needed"),
        (lambda service, row: mapping.park_row(service, ANALYST, row, seen=0, reason="x" * 501), "500 characters"),
        (lambda service, row: mapping.assign_account(service, ANALYST, row, 999, seen=0), "does not exist"),
        (lambda service, row: mapping.reject_candidate(service, ANALYST, row, 999, seen=0), "does not exist"),
        (lambda service, row: mapping.take_back_rejection(service, ANALYST, row, 1, seen=0), "is not rejected"),
        (lambda service, _row: mapping.assign_account(service, ANALYST, 999, 1, seen=0), "account does not exist"),
        (lambda service, row: mapping.create_account(service, ANALYST, row, NewAccount("  "), seen=0), "needs a name"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    service: Service, store: Store, act: Callable[[Service, int], object], told: str
) -> None:
    before = everything(store)
    with pytest.raises(InputError, match=told):
        act(service, id_of(store, "p1"))
    assert everything(store) == before


def test_a_reason_may_have_500_characters(service: Service, store: Store) -> None:
    mapping.exclude_row(service, ANALYST, id_of(store, "p1"), seen=0, reason="x" * 500)
    assert rows_of(store, t.StandingOrder.reason) == [("x" * 500,)]


def test_a_mapped_row_is_neither_set_aside_nor_its_account_rejected(service: Service, store: Store) -> None:
    decided = assign(service, "p1", "a1")
    row_id, seen = decided.row.id, decided.decision_id
    with pytest.raises(InputError, match="is mapped"):
        mapping.exclude_row(service, ANALYST, row_id, seen=seen, reason="test")
    with pytest.raises(InputError, match="is the mapped one"):
        mapping.reject_candidate(service, ANALYST, row_id, account_id_of(store, "a1"), seen=seen)


def test_a_deleted_account_cannot_be_chosen(service: Service, store: Store, crm: FakeCrm) -> None:
    account_id = account_id_of(store, "a3")
    crm.drop("a3")
    crm_sync(service)
    with pytest.raises(NotFound, match=r"This CRM account does not exist \(any more\)"):
        mapping.assign_account(service, ANALYST, id_of(store, "p1"), account_id, seen=0)


# --- cardinality ---


def test_a_unique_policy_refuses_the_second_link_naming_the_first(service: Service, store: Store) -> None:
    assign(service, "p1", "a1")
    assign(service, "p2", "a1")
    settings.set_setting(service, ADMIN, "cardinality", "unique")
    with pytest.raises(PolicyBreach, match="already belongs to Customer p1 at Partner Center"):
        assign(service, "p3", "a1")
    assert set(mappings(store)) == {"p1", "p2"}


def test_under_a_unique_policy_a_person_may_confirm_what_a_match_mapped(service: Service, store: Store) -> None:
    settings.set_setting(service, ADMIN, "cardinality", "unique")
    auto_match(service)
    assign(service, "p1", "a1", seen=version(store))
    assert mappings(store) == {"p1": ("a1", "manual")}


def test_deciding_for_the_account_that_the_row_has_is_no_second_link(service: Service, store: Store) -> None:
    settings.set_setting(service, ADMIN, "cardinality", "unique")
    decided = assign(service, "p1", "a1")
    assert assign(service, "p1", "a1", seen=decided.decision_id).row.account_name == "Account a1"


def test_unique_in_provider_looks_at_the_own_provider_only(service: Service, store: Store) -> None:
    manual = providers.add_manual_provider(service, ADMIN, "By hand")
    rows = [providers.ManualAccount(one, f"Manual {one}") for one in ("m1", "m2")]
    providers.add_manual_accounts(service, ADMIN, manual, rows)
    settings.set_setting(service, ADMIN, "cardinality", "unique_in_provider")
    assign(service, "p1", "a1")
    assign(service, "m1", "a1")
    with pytest.raises(PolicyBreach, match="Manual m1 at By hand"):
        assign(service, "m2", "a1")


def test_a_provider_may_be_an_exception_from_the_policy(service: Service, store: Store) -> None:
    settings.set_setting(service, ADMIN, "cardinality", "unique")
    partner_center = providers.find_provider(service, ADMIN, "partner_center")
    set_provider_cardinality(service, partner_center.id, Cardinality.MANY)
    assign(service, "p1", "a1")
    assign(service, "p2", "a1")
    assert len(mappings(store)) == 2


def test_a_rival_is_free_again_when_the_other_is_excluded(service: Service, store: Store, crm: FakeCrm) -> None:
    """A decision about one row changes what is proposed for the rows that want the same account."""
    crm.put(contact("c3", "a1", "three.com"))
    settings.set_setting(service, ADMIN, "cardinality", "unique")
    without_guards(service)
    crm_sync(service)
    reasons = dict(rows_of(store, t.Worklist.specific_id, t.Worklist.reason))
    assert (reasons["p1"], reasons["p3"]) == ("contested", "contested")
    mapping.exclude_row(service, ANALYST, id_of(store, "p3"), seen=0, reason="test tenant")
    reasons = dict(rows_of(store, t.Worklist.specific_id, t.Worklist.reason))
    assert reasons["p1"] == "rule"


def test_who_wanted_an_account_that_another_got_by_hand_is_told_it_is_taken(service: Service, store: Store) -> None:
    settings.set_setting(service, ADMIN, "cardinality", "unique")
    match(service)
    assert dict(rows_of(store, t.Worklist.specific_id, t.Worklist.reason))["p1"] == "rule"
    decided = assign(service, "p3", "a1")  # nothing but the hand leads from p3 to a1
    assert dict(rows_of(store, t.Worklist.specific_id, t.Worklist.reason))["p1"] == "account_taken"
    mapping.clear_mapping(service, ANALYST, decided.row.id, seen=decided.decision_id)
    assert dict(rows_of(store, t.Worklist.specific_id, t.Worklist.reason))["p1"] == "rule"


def test_the_time_of_a_decision_is_said_in_utc_whatever_the_clocks_zone(store: Store, home: Path, crm: FakeCrm) -> None:
    clock = FakeClock()
    clock.at = dt.datetime(2026, 11, 2, 23, 30, tzinfo=dt.timezone(dt.timedelta(hours=5)))
    portal = FakePortal(pages_of([customer("p1", "one.com")]))
    service = make_service(store, home, portal=portal, crm=crm, clock=clock)
    crm_sync(service)
    sync(service)
    decided = assign(service, "p1", "a1")
    assert records.read_record(service, ADMIN, decided.row.id).history[0].at == clock.at
    with pytest.raises(StaleEdit, match="at 18:30 UTC"):
        assign(service, "p1", "a1")
