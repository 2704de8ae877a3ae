"""Drift: a mapping whose account or evidence went is flagged where people look, and never changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
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
    set_domains,
    sync,
)

from w365.api.rows import why, why_full
from w365.matching.messages import DRIFT_WORDS, say_drift
from w365.model import DomainList, Drift, ListPart, Status
from w365.service import Service
from w365.service.configuring import settings
from w365.service.deciding import mapping
from w365.service.insight import statistics
from w365.service.matching import run
from w365.service.reading import records
from w365.store import tables as t
from w365.store.db.engine import Store
from w365.store.reading.worklist import Filter, Row

LISTED = [customer("p1", "one.com", tenant_guid="11111111-1111-4111-8111-111111111111"), customer("p2", "two.com")]
DRIFTED = Filter(part=ListPart.DRIFTED)


@pytest.fixture
def crm() -> FakeCrm:
    """One customer's account, an account that nothing points to, and none for the second customer."""
    made = FakeCrm()
    made.put(account("a1"), account("a2"), contact("c1", "a1", "one.com"))
    return made


@pytest.fixture
def service(store: Store, home: Path, crm: FakeCrm) -> Service:
    return started(store, home, crm)


def started(store: Store, home: Path, crm: FakeCrm) -> Service:
    made = make_service(store, home, portal=FakePortal(pages_of(LISTED)), crm=crm)

    def furnish() -> None:
        settings.set_setting(made, ADMIN, "auto_match", "true")
        crm_sync(made)
        sync(made)

    make_once(store, f"{LISTED} {crm}", furnish, crm)
    return made


def row(service: Service, specific_id: str = "p1") -> Row:
    return records.read_row(service, VIEWER, id_of(service.store, specific_id))


def assign(service: Service, specific_id: str, crm_id: str) -> Row:
    now = row(service, specific_id)
    account_id = account_id_of(service.store, crm_id)
    return mapping.assign_account(service, ANALYST, now.id, account_id, seen=now.version).row


def deactivate(service: Service, crm: FakeCrm) -> None:
    crm.put(account("a1", is_active=False))
    crm_sync(service)


def delete(service: Service, crm: FakeCrm) -> None:
    crm.drop("a1")
    crm_sync(service)


def move_contact(service: Service, crm: FakeCrm) -> None:
    crm.put(contact("c1", "a2", "one.com"))
    crm_sync(service)


def move_to_two(service: Service, crm: FakeCrm) -> None:
    crm.put(account("a3", website="one.com"), contact("c1", "a2", "one.com"))
    crm_sync(service)


def delete_contact(service: Service, crm: FakeCrm) -> None:
    crm.drop("c1")
    crm_sync(service)


def list_domain(service: Service, crm: FakeCrm) -> None:
    set_domains(service, DomainList.SHARED, ["one.com"])


def switch_rule_off(service: Service, crm: FakeCrm) -> None:
    settings.set_setting(service, ADMIN, "rule_contact_domain", "false")


def take_over_by_guid(service: Service, crm: FakeCrm) -> None:
    settings.set_setting(service, ADMIN, "tenant_guid_column", "new_tenant")
    crm.put(account("a2", tenant_guid=LISTED[0].tenant_guid))
    crm_sync(service)


WAYS = [
    (deactivate, Drift.ACCOUNT_GONE),
    (delete, Drift.ACCOUNT_GONE),
    (move_contact, Drift.ELSEWHERE),
    (move_to_two, Drift.ELSEWHERE),
    (delete_contact, Drift.UNSUPPORTED),
    (list_domain, Drift.UNSUPPORTED),
    (switch_rule_off, Drift.UNSUPPORTED),
    (take_over_by_guid, Drift.ELSEWHERE),
]


@pytest.mark.parametrize(("happens", "drift"), WAYS)
def test_an_automatic_mapping_is_flagged_and_kept(
    service: Service, crm: FakeCrm, happens: Callable[[Service, FakeCrm], None], drift: Drift
) -> None:
    assert row(service).drift is Drift.NONE
    kept = rows_of(service.store, t.Mapping.account_id, t.Mapping.decision_id)
    happens(service, crm)
    match(service)
    assert (row(service).status, row(service).drift) == (Status.MAPPED, drift)
    assert rows_of(service.store, t.Mapping.account_id, t.Mapping.decision_id) == kept
    assert [one.specific_id for one in records.list_rows(service, VIEWER, DRIFTED)] == ["p1"]
    assert records.count(service, VIEWER, DRIFTED) == statistics.read_statistics(service, VIEWER).drifted == 1


@pytest.mark.postgres
@pytest.mark.parametrize(("happens", "drift"), [WAYS[0], WAYS[3], WAYS[4], WAYS[7]])
def test_on_postgresql_too(
    fresh_postgres: Store,
    home: Path,
    crm: FakeCrm,
    happens: Callable[[Service, FakeCrm], None],
    drift: Drift,
) -> None:
    service = started(fresh_postgres, home, crm)
    happens(service, crm)
    match(service)
    assert row(service).drift is drift
    assert records.count(service, VIEWER, DRIFTED) == 1


def test_a_second_supported_account_is_no_drift(service: Service, crm: FakeCrm) -> None:
    crm.put(account("a2", website="one.com"))
    crm_sync(service)
    match(service)
    assert row(service).drift is Drift.NONE


def test_a_guid_on_the_mapped_account_and_another_is_no_drift(service: Service, crm: FakeCrm) -> None:
    settings.set_setting(service, ADMIN, "tenant_guid_column", "new_tenant")
    crm.put(*(account(name, tenant_guid=LISTED[0].tenant_guid) for name in ("a1", "a2")))
    crm.drop("c1")
    crm_sync(service)
    match(service)
    assert row(service).drift is Drift.NONE


def test_the_evidence_coming_back_ends_it(service: Service, crm: FakeCrm) -> None:
    move_contact(service, crm)
    match(service)
    crm.put(contact("c1", "a1", "one.com"))
    crm_sync(service)
    match(service)
    assert row(service).drift is Drift.NONE
    assert records.count(service, VIEWER, DRIFTED) == 0


def test_a_mapping_by_hand_without_evidence_is_no_drift(service: Service) -> None:
    assert assign(service, "p2", "a2").drift is Drift.NONE
    match(service)
    assert row(service, "p2").drift is Drift.NONE


def test_a_mapping_by_hand_drifts_when_evidence_comes_up_for_another_account_only(
    service: Service, crm: FakeCrm
) -> None:
    assign(service, "p2", "a2")
    crm.put(contact("c2", "a1", "two.com"))
    crm_sync(service)
    match(service)
    assert row(service, "p2").drift is Drift.ELSEWHERE


def test_a_mapping_by_hand_against_the_evidence_of_the_moment_is_no_drift(service: Service) -> None:
    assert assign(service, "p1", "a2").drift is Drift.NONE
    settings.set_setting(service, ADMIN, "shared_threshold", "9")  # everything is looked at again
    match(service)
    assert row(service).drift is Drift.NONE


def test_a_mapping_by_hand_drifts_when_its_account_goes(service: Service, crm: FakeCrm) -> None:
    assign(service, "p1", "a1")
    deactivate(service, crm)
    match(service)
    assert row(service).drift is Drift.ACCOUNT_GONE


def test_deciding_for_the_same_account_again_keeps_it_and_ends_the_drift(service: Service, crm: FakeCrm) -> None:
    move_contact(service, crm)
    match(service)
    kept = assign(service, "p1", "a1")
    assert (kept.account_name, kept.origin, kept.drift) == ("Account a1", "manual", Drift.NONE)
    match(service)
    assert row(service).drift is Drift.NONE


def test_rejecting_the_other_account_of_a_mapping_by_hand_ends_the_drift(service: Service, crm: FakeCrm) -> None:
    assign(service, "p2", "a2")
    crm.put(contact("c2", "a1", "two.com"))
    crm_sync(service)
    match(service)
    now = row(service, "p2")
    account_id = account_id_of(service.store, "a1")
    assert mapping.reject_candidate(service, ANALYST, now.id, account_id, seen=now.version).row.drift is Drift.NONE


def test_the_grid_says_it_beside_the_origin(service: Service, crm: FakeCrm) -> None:
    assert why(row(service)) == "Auto-Match"
    move_contact(service, crm)
    run.refresh_touched(service)
    assert why(row(service)) == "Drifted: other account"
    assert why_full(row(service)).startswith("Auto-Match. The rules now support another account")


@pytest.mark.parametrize("drift", [one for one in Drift if one])
def test_each_drift_has_its_words(drift: Drift) -> None:
    assert DRIFT_WORDS[drift].startswith("Drifted: ")
    assert say_drift(drift).endswith(".")
