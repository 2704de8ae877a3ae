"""The match as a run: what it maps and counts with Auto-Match on and off, and what a preview may do."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa
from fresh_stores import make_once
from service.fakes import (
    ADMIN,
    VIEWER,
    FakeCrm,
    FakePortal,
    account,
    account_id_of,
    contact,
    crm_sync,
    customer,
    execute_run,
    id_of,
    make_service,
    match,
    pages_of,
    rows_of,
    set_provider_cardinality,
    subscription,
    sync,
    without_guards,
)

from w365.model import Cardinality, DomainList
from w365.service import Service
from w365.service.configuring import settings
from w365.service.insight import statistics
from w365.service.matching import run as matching
from w365.service.syncing import providers, runs
from w365.store import tables as t
from w365.store.db.engine import Store


@pytest.fixture
def service(store: Store, home: Path) -> Service:
    """Two customers that one account supports, one in conflict, one that nobody supports."""
    crm = FakeCrm()
    crm.put(account("a1"), account("a2", website="two.com"), account("a3", website="two.com"))
    crm.put(contact("c1", "a1", "one.com"), contact("c2", "a1", "uno.com"))
    names = ("one.com", "uno.com", "two.com", "three.com")
    seats = (subscription(1, 7),)
    listed = [customer(f"p{place}", name, subscriptions=seats) for place, name in enumerate(names, start=1)]
    made = make_service(store, home, portal=FakePortal(pages_of(listed)), crm=crm)

    def furnish() -> None:
        without_guards(made)
        crm_sync(made)
        sync(made)

    make_once(store, "two supported by one account", furnish, crm)
    return made


def statuses(store: Store) -> dict[str, tuple[str, str]]:
    work = t.Worklist
    return {row[0]: row[1:] for row in rows_of(store, work.specific_id, work.status, work.reason)}


def test_with_auto_match_off_nothing_is_mapped_and_everything_proposed(service: Service, store: Store) -> None:
    assert match(service).result["mapped"] == 0
    assert rows_of(store, t.Mapping.account_id) == rows_of(store, t.Decision.id) == []
    assert statuses(store) == {
        "p1": ("unmapped", "rule"),
        "p2": ("unmapped", "rule"),
        "p3": ("conflict", "several_accounts"),
        "p4": ("unmapped", "no_account"),
    }
    assert len(rows_of(store, t.CurrentCandidate.rank, where=t.CurrentCandidate.rank == 1)) == 3


def test_turned_on_it_maps_what_is_certain_once(service: Service, store: Store) -> None:
    settings.set_setting(service, ADMIN, "auto_match", "true")
    assert rows_of(store, t.Mapping.account_id) == []  # the setting alone maps nothing
    run = match(service)
    assert run.result["mapped"] == 2
    assert match(service).result["mapped"] == 0
    decisions = rows_of(store, t.Decision.actor, t.Decision.run_id, t.Decision.origin)
    assert decisions == [("ada", run.id, "auto")] * 2
    assert len(rows_of(store, t.DecisionEvidence.domain)) == 2


def test_turned_off_again_a_sync_maps_nothing_new(service: Service, store: Store) -> None:
    settings.set_setting(service, ADMIN, "auto_match", "true")
    match(service)
    settings.set_setting(service, ADMIN, "auto_match", "false")
    manual = providers.add_manual_provider(service, ADMIN, "By hand")
    rows = [providers.ManualAccount("m1", "Manual", ("one.com",))]
    providers.add_manual_accounts(service, ADMIN, manual, rows)
    sync(service)
    assert statuses(store)["m1"] == ("unmapped", "rule")
    assert len(rows_of(store, t.Mapping.account_id)) == 2


def test_two_that_want_one_account_under_a_unique_policy_both_wait(service: Service, store: Store) -> None:
    settings.set_settings(service, ADMIN, {"cardinality": "unique", "auto_match": "true"})
    assert match(service).result["mapped"] == 0
    assert statuses(store)["p1"] == statuses(store)["p2"] == ("conflict", "contested")


def test_who_loses_to_a_match_is_shown_as_conflict_when_it_is_over(service: Service, store: Store) -> None:
    """The provider that may share gets the account; the one that needs its own finds it taken, in the same run."""
    manual = providers.add_manual_provider(service, ADMIN, "By hand")
    rows = [providers.ManualAccount("m1", "Manual", ("one.com",))]
    providers.add_manual_accounts(service, ADMIN, manual, rows)
    set_provider_cardinality(service, manual, Cardinality.UNIQUE)
    settings.set_setting(service, ADMIN, "auto_match", "true")
    assert match(service).result["mapped"] == 2
    assert statuses(store)["m1"] == ("conflict", "account_taken")


def test_a_switch_to_a_stricter_policy_lists_the_breaches_and_unmaps_nobody(service: Service, store: Store) -> None:
    settings.set_setting(service, ADMIN, "auto_match", "true")
    match(service)
    assert matching.preview_match(service, VIEWER).breaching == ()
    stricter = matching.PendingChange(settings={"cardinality": "unique_in_provider"})
    _, after = matching.try_change(service, ADMIN, stricter)
    assert [(one.provider_account_id, one.account_id) for one in after.breaching] == [
        (id_of(store, "p1"), account_id_of(store, "a1")),
        (id_of(store, "p2"), account_id_of(store, "a1")),
    ]
    settings.set_setting(service, ADMIN, "cardinality", "unique")
    match(service)
    assert {found[0] for found in statuses(store).values()} == {"mapped", "conflict", "unmapped"}
    assert len(rows_of(store, t.Mapping.account_id)) == 2


def test_a_full_match_makes_evidence_and_proposals_anew(service: Service, store: Store) -> None:
    match(service)
    evidence = rows_of(store, t.AccountDomain.domain, t.AccountDomain.account_id, t.AccountDomain.rule)
    found = statuses(store)
    with store.write() as connection:
        connection.execute(sa.delete(t.AccountDomain))
        connection.execute(sa.delete(t.CurrentProposal))
    match(service)
    assert rows_of(store, t.AccountDomain.domain) == rows_of(store, t.CurrentProposal.kind) == []
    execute_run(service, runs.request_match(service, ADMIN, full=True))
    assert rows_of(store, t.AccountDomain.domain, t.AccountDomain.account_id, t.AccountDomain.rule) == evidence
    assert len(rows_of(store, t.CurrentProposal.kind)) == len(found)
    assert statuses(store) == found


def test_the_snapshot_of_a_match_is_what_sql_counts(service: Service, store: Store) -> None:
    settings.set_setting(service, ADMIN, "auto_match", "true")
    run = match(service)
    snap, work = t.Snapshot, t.Worklist
    kept = rows_of(store, snap.status, snap.reason, snap.accounts, snap.seats, where=snap.run_id == run.id)
    counted = Counter(
        (status, reason) for _, status, reason in rows_of(store, work.specific_id, work.status, work.reason)
    )
    assert {(status, reason): number for status, reason, number, _ in kept} == counted
    assert sum(row[3] for row in kept) == 28
    totals = statistics.read_statistics(service, VIEWER)
    assert (totals.totals.mapped, totals.totals.conflict, totals.totals.unmapped) == (2, 1, 1)
    assert totals.history[-1].totals == totals.totals
    assert (totals.totals.blocked_seats, totals.blocked_subscriptions) == (14, 2)
    assert [(one.source, one.accounts) for one in totals.by_source] == [("Contact domain", 2)]
    assert run.result["mapped_in_all"] == 2


def test_a_preview_names_what_would_be_mapped_and_maps_nothing(service: Service, store: Store) -> None:
    preview = matching.preview_match(service, VIEWER)
    assert (preview.auto_match, preview.total, preview.conflicts) == (False, 2, 1)
    assert [(one.provider_account, one.account) for one in preview.mappings] == [
        ("Customer p1", "Account a1"),
        ("Customer p2", "Account a1"),
    ]
    assert rows_of(store, t.Mapping.account_id) == []


def test_trying_a_change_tells_its_effect_and_keeps_none_of_it(service: Service, store: Store) -> None:
    tables = (t.Setting, t.SettingChange, t.ListedDomain, t.CurrentProposal, t.Worklist, t.Touched)
    before = [rows_of(store, *table.__table__.columns) for table in tables]
    change = matching.PendingChange(domains={DomainList.SHARED: ["one.com"]})
    now, then = matching.try_change(service, ADMIN, change)
    assert (now.total, then.total) == (2, 1)
    assert [rows_of(store, *table.__table__.columns) for table in tables] == before
    matching.make_change(service, ADMIN, change)
    assert matching.preview_match(service, VIEWER).total == 1
