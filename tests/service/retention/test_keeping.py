"""What is due is what was previewed, and nothing that a row, an undo or a question of today still needs."""

from __future__ import annotations

from pathlib import Path

import pytest
from service.fakes import ADMIN, ANALYST, FakeClock, crm_sync, rows_of, sync
from service.people.people_steps import sign_in, team
from service.undo_steps import assign, check_derived, clear, exclude, seen, state_of, world

from w365 import jobs
from w365.errors import InputError
from w365.model import AuditKind, Kept, Role
from w365.service import Service
from w365.service.configuring.settings import set_setting
from w365.service.deciding.bulk_run import confirm_plan
from w365.service.deciding.undo import Undoable, preview_undo
from w365.service.people.roles import list_audit_log
from w365.service.people.service_tokens import make_token
from w365.service.reading.visits import read_visit
from w365.service.retention.keeping import preview_retention, remove_old
from w365.store import tables as t
from w365.store.configuring.settings import KEPT_FOR
from w365.store.db.engine import Store


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def service(request: pytest.FixtureRequest, home: Path) -> Service:
    store: Store = request.getfixturevalue("store" if request.param == "sqlite" else "fresh_postgres")
    return world(store, home)


def years_later(service: Service, years: int) -> None:
    assert isinstance(service.clock, FakeClock)
    service.clock.forward(days=365.25 * years + 1)


def due(service: Service, kind: Kept) -> int:
    return {keeping.kind: keeping.due.rows for keeping in preview_retention(service, ADMIN)}[kind]


def removed(service: Service, kind: Kept, limit: int) -> int:
    """Set a limit, and compare what the preview says with what is removed; some rows are due only after others."""
    set_setting(service, ADMIN, KEPT_FOR[kind], str(limit))
    previewed = due(service, kind)
    number = remove_old(service, ADMIN).get(kind, 0)
    assert number >= previewed
    assert not remove_old(service, ADMIN)
    return number


def test_by_default_everything_is_kept(service: Service) -> None:
    years_later(service, 100)
    assert not remove_old(service, ADMIN)
    assert {keeping.limit for keeping in preview_retention(service, ADMIN)} == {0}


def test_decisions_go_when_they_are_old_and_hold_no_more(service: Service) -> None:
    assign(service, "u0", "a1")
    clear(service, "u0")
    standing = assign(service, "u0", "a2")
    exclude(service, "u1")
    years_later(service, 3)
    assign(service, "m0", "a2")
    held, versions = state_of(service.store), rows_of(service.store, t.Worklist.version)
    assert removed(service, Kept.DECISIONS, 2) == 2
    assert state_of(service.store) == held
    assert rows_of(service.store, t.Worklist.version) == versions
    assert (standing,) in rows_of(service.store, t.Decision.id)
    check_derived(service.store)


def test_what_an_undo_would_bring_back_stays(service: Service) -> None:
    first = assign(service, "u0", "a1")
    years_later(service, 3)
    second = assign(service, "u0", "a2")
    assert removed(service, Kept.DECISIONS, 2) == 0
    jobs.execute_run(service, confirm_plan(service, ANALYST, preview_undo(service, ANALYST, Undoable(second)).plan.id))
    assert rows_of(service.store, t.Mapping.decision_id, where=t.Mapping.decision_id == first)
    years_later(service, 3)
    assert removed(service, Kept.DECISIONS, 2) == 0, "the undo is the latest, and names the other"
    clear(service, "u0")
    assert removed(service, Kept.DECISIONS, 2) == 2
    assert (first,) in rows_of(service.store, t.Decision.id), "for taking the last one back"


def test_runs_go_but_for_the_latest_of_a_kind_and_those_that_decided(service: Service) -> None:
    years_later(service, 1)
    sync(service)
    crm_sync(service)
    years_later(service, 1)
    runs = rows_of(service.store, t.Run.kind, t.Run.target, t.Run.id)
    latest = {(kind, target): run for kind, target, run in sorted(runs)}.values()
    decided = {run for (run,) in rows_of(service.store, t.Decision.run_id)}
    assert removed(service, Kept.RUNS, 30) == len(runs) - len({*latest, *decided}) > 2
    assert {run for (run,) in rows_of(service.store, t.Run.id)} == {*latest, *decided}


def test_who_was_here_and_the_audit_log_are_forgotten(service: Service) -> None:
    people = team(service, admins=frozenset({"somebody else"}))
    person = sign_in(people)
    read_visit(people, person)
    set_setting(people, ADMIN, "shared_threshold", "12")
    make_token(people, ADMIN, "billing", Role.VIEWER, 1)
    years_later(people, 1)
    make_token(people, ADMIN, "billing", Role.VIEWER, 1)
    set_setting(people, ADMIN, "shared_threshold", "13")
    assert removed(people, Kept.VISITS, 30) == 1
    assert removed(people, Kept.AUDIT_LOG, 30) >= 3
    assert not rows_of(people.store, t.Session.id)
    assert rows_of(people.store, t.ServiceToken.id) == [(2,)]
    log = list_audit_log(people, ADMIN, limit=100)
    assert [row.about for row in log if row.kind is AuditKind.REMOVAL][-1] == "kept long enough: 1 of visits"
    assert "shared_threshold: 12 → 13" in {row.about for row in log}
    assert "shared_threshold: 10 → 12" not in {row.about for row in log}


def test_another_limit_is_previewed_before_it_is_set(service: Service) -> None:
    years_later(service, 1)
    name = KEPT_FOR[Kept.VISITS]
    read_visit(service, ANALYST)
    years_later(service, 1)
    (visits,) = [keeping for keeping in preview_retention(service, ADMIN, {name: "90"}) if keeping.due.rows]
    assert (visits.kind, visits.due.rows, visits.unit) == (Kept.VISITS, 1, "days")
    assert visits.due.oldest
    with pytest.raises(InputError, match="at least 30 days"):
        preview_retention(service, ADMIN, {name: "3"})
    assert due(service, Kept.VISITS) == 0


def test_a_row_decided_a_thousand_times_keeps_its_last(service: Service) -> None:
    row, version = seen(service, "u0")
    with service.store.write() as connection:
        values = {"at": service.clock(), "actor": "ben", "provider_account_id": row, "kind": "clear"}
        connection.execute(t.Decision.__table__.insert(), [values] * 2_500)
    years_later(service, 5)
    assert removed(service, Kept.DECISIONS, 1) == 2_499
    assert version == 0
