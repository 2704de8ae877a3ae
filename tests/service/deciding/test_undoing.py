"""Undo brings back exactly what held before, says so in the log, and leaves what was changed since."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from service.fakes import ADMIN, ANALYST, OTHER_ANALYST, VIEWER, account_id_of, id_of, match, rows_of
from service.undo_steps import assign, check_derived, clear, exclude, park, seen, state_of, world
from typer.testing import CliRunner

from w365.cli.main import app
from w365.errors import InputError, NotFound, StaleEdit
from w365.jobs import execute_run
from w365.model import DecisionKind, ListPart, RunKind, RunState
from w365.service import Service
from w365.service.configuring import settings as configuration
from w365.service.deciding import bulk_run, mapping
from w365.service.deciding import undo as undoing
from w365.service.deciding.bulk_preview import Selection, preview_bulk
from w365.service.deciding.bulk_run import confirm_plan
from w365.service.deciding.undo import Undoable, preview_last, preview_undo
from w365.service.reading.records import list_rows, read_row
from w365.store import tables as t
from w365.store.configuring.settings import read_policy
from w365.store.db.engine import Store
from w365.store.deciding.decisions import Who, bring_back
from w365.store.reading.worklist import Filter

Act = Callable[[Service, str], object]


@pytest.fixture
def service(store: Store, home: Path) -> Service:
    return world(store, home)


@pytest.fixture
def postgres_service(fresh_postgres: Store, home: Path) -> Service:
    return world(fresh_postgres, home)


def reopen(service: Service, specific_id: str) -> int:
    row, version = seen(service, specific_id)
    return mapping.reopen_row(service, ANALYST, row, seen=version).decision_id


def reject(service: Service, specific_id: str, crm_id: str) -> int:
    row, version = seen(service, specific_id)
    account = account_id_of(service.store, crm_id)
    return mapping.reject_candidate(service, ANALYST, row, account, seen=version).decision_id


def take_back(service: Service, specific_id: str, crm_id: str) -> int:
    row, version = seen(service, specific_id)
    account = account_id_of(service.store, crm_id)
    return mapping.take_back_rejection(service, ANALYST, row, account, seen=version).decision_id


def undo(service: Service, what: Undoable) -> int:
    """Take back, and return the run."""
    run = execute_run(service, confirm_plan(service, ANALYST, preview_undo(service, ANALYST, what).plan.id))
    assert (run.state, run.error) == (RunState.DONE, "")
    return run.id


STORIES: dict[str, tuple[Callable[[Service], object], ...]] = {
    "map": (lambda s: assign(s, "u0", "a1"),),
    "map elsewhere": (lambda s: assign(s, "m0", "a1"), lambda s: assign(s, "m0", "a2")),
    "clear what was mapped automatically": (lambda s: clear(s, "m0"),),
    "clear what was mapped by hand": (lambda s: assign(s, "u0", "a1"), lambda s: clear(s, "u0")),
    "clear, then map to what was rejected by it": (lambda s: clear(s, "m0"), lambda s: assign(s, "m0", "a0")),
    "park, then exclude, then reopen": (
        lambda s: park(s, "u0"),
        lambda s: exclude(s, "u0"),
        lambda s: reopen(s, "u0"),
    ),
    "map what was parked": (lambda s: park(s, "c0"), lambda s: assign(s, "c0", "b0")),
    "reject twice, then take it back": (
        lambda s: reject(s, "c0", "b0"),
        lambda s: reject(s, "c0", "b0"),
        lambda s: take_back(s, "c0", "b0"),
    ),
    "reject beside a mapping": (lambda s: reject(s, "m0", "a1"),),
}


MIXED = (
    lambda s: clear(s, "m0"),
    lambda s: assign(s, "m0", "a0"),
    lambda s: park(s, "c0"),
    lambda s: assign(s, "c0", "b0"),
    lambda s: reject(s, "c1", "b1"),
    lambda s: take_back(s, "c1", "b1"),
)


def check_there_and_back(service: Service, steps: tuple[Callable[[Service], object], ...]) -> None:
    """Every step is taken back, the last one first; then the undos are, which does the steps again."""
    states = [state_of(service.store)]
    for step in steps:
        step(service)
        states.append(state_of(service.store))
    for before in reversed(states[:-1]):
        plan = preview_last(service, ANALYST).plan
        execute_run(service, confirm_plan(service, ANALYST, plan.id))
        assert state_of(service.store) == before
        check_derived(service.store)
    with pytest.raises(NotFound, match="nothing that could be taken back"):
        preview_last(service, ANALYST)
    undo_runs = [row[0] for row in rows_of(service.store, t.Run.id, where=t.Run.kind == RunKind.UNDO)]
    undo(service, Undoable(run_id=undo_runs[-1]))
    assert state_of(service.store) == states[1]
    check_derived(service.store)


@pytest.mark.parametrize("story", STORIES)
def test_every_decision_is_taken_back_exactly_and_done_again_exactly(service: Service, story: str) -> None:
    check_there_and_back(service, STORIES[story])


def test_decisions_on_several_rows_are_taken_back_exactly(service: Service) -> None:
    check_there_and_back(service, MIXED)


@pytest.mark.postgres
def test_decisions_are_taken_back_exactly_on_postgresql(postgres_service: Service) -> None:
    check_there_and_back(postgres_service, MIXED)


def test_an_undo_names_what_it_undoes_and_who_did_it(service: Service, store: Store) -> None:
    decision = assign(service, "u0", "a1")
    undo(service, Undoable(decision_id=decision))
    made = rows_of(
        store, t.Decision.actor, t.Decision.kind, t.Undo.undoes_id, where=t.Undo.decision_id == t.Decision.id
    )
    assert made == [(ANALYST.name, DecisionKind.UNDO, decision)]


def check_match_taken_back(service: Service) -> None:
    """All but the row changed since; nothing of it comes back with the next match until it is released."""
    store = service.store
    run = rows_of(store, t.Decision.run_id, where=t.Decision.kind == "map")[0][0]
    row, version = seen(service, "m1")
    mapping.assign_account(service, OTHER_ANALYST, row, account_id_of(store, "a3"), seen=version)
    preview = preview_undo(service, ANALYST, Undoable(run_id=run))
    assert (preview.plan.would, preview.plan.left) == (3, {"changed": 1})
    assert [one.row.account_name for one in preview.sample] == ["Mapped 0", "Mapped 2", "Mapped 3"]
    left = bulk_run.list_left(service, VIEWER, preview.plan.id)
    assert [(one.why, one.by, one.kind) for one in left] == [("changed", OTHER_ANALYST.name, DecisionKind.MAP)]
    assert len(rows_of(store, t.Mapping.account_id)) == 4  # a preview changes nothing
    done = execute_run(service, confirm_plan(service, ANALYST, preview.plan.id))
    assert done.result == {"taken_back": 3, "left": 1}
    match(service)
    assert rows_of(store, t.Mapping.provider_account_id) == [(row,)]
    held = rows_of(store, t.StandingOrder.provider_account_id, t.StandingOrder.kind)
    assert held == [(id_of(store, f"m{n}"), "held") for n in (0, 2, 3)]
    assert listed_as_held(service) == ["m0", "m2", "m3"]
    check_derived(store)
    reopen(service, "m0")
    assert listed_as_held(service) == ["m2", "m3"]
    match(service)
    assert len(rows_of(store, t.Mapping.account_id)) == 2


def listed_as_held(service: Service) -> list[str]:
    return sorted(one.specific_id for one in list_rows(service, VIEWER, Filter(part=ListPart.HELD)))


def test_undoing_a_match_holds_its_rows_back_until_they_are_released(service: Service) -> None:
    check_match_taken_back(service)


@pytest.mark.postgres
def test_undoing_a_match_holds_its_rows_back_on_postgresql(postgres_service: Service) -> None:
    check_match_taken_back(postgres_service)


def test_what_changes_between_preview_and_confirmation_is_left_and_listed(service: Service, store: Store) -> None:
    decision = assign(service, "u0", "a1")
    plan = preview_undo(service, ANALYST, Undoable(decision_id=decision)).plan
    row, version = seen(service, "u0")
    mapping.assign_account(service, OTHER_ANALYST, row, account_id_of(store, "a2"), seen=version)
    run = execute_run(service, confirm_plan(service, ANALYST, plan.id))
    assert run.result == {"taken_back": 0, "left": 1}
    assert bulk_run.list_left(service, VIEWER, plan.id)[0].by == OTHER_ANALYST.name
    assert read_row(service, VIEWER, row).account_id == account_id_of(store, "a2")


def test_a_bulk_taken_back_but_for_a_row_changed_since_is_taken_back(service: Service, store: Store) -> None:
    before = assign(service, "m3", "a1")
    rows = tuple(id_of(store, name) for name in ("u0", "u1"))
    plan = preview_bulk(service, ANALYST, Selection(ids=rows), "park", {"reason": "waits"}).plan
    run = execute_run(service, confirm_plan(service, ANALYST, plan.id))
    assert undoing.last_decision(service, ANALYST) == Undoable(run_id=run.id)
    row, version = seen(service, "u1")
    mapping.reopen_row(service, OTHER_ANALYST, row, seen=version)
    undo(service, Undoable(run_id=run.id))
    assert undoing.last_decision(service, ANALYST) == Undoable(decision_id=before)


def test_an_account_that_another_got_meanwhile_is_not_given_twice(service: Service, store: Store) -> None:
    configuration.set_setting(service, ADMIN, "cardinality", "unique")
    decision = clear(service, "m0")
    assign(service, "u0", "a0")
    plan = preview_undo(service, ANALYST, Undoable(decision_id=decision)).plan
    assert (plan.would, plan.left) == (0, {"taken": 1})
    with pytest.raises(InputError, match="nothing to change"):
        confirm_plan(service, ANALYST, plan.id)


def test_a_preview_is_confirmed_once_by_the_person_who_asked_for_it(service: Service) -> None:
    decision = assign(service, "u0", "a1")
    plan = preview_undo(service, ANALYST, Undoable(decision_id=decision)).plan
    with pytest.raises(InputError, match="This preview is ben's"):
        confirm_plan(service, OTHER_ANALYST, plan.id)
    confirm_plan(service, ANALYST, plan.id)
    with pytest.raises(InputError, match="confirmed already"):
        confirm_plan(service, ANALYST, plan.id)


def test_what_was_read_or_does_not_exist_cannot_be_taken_back(service: Service, store: Store) -> None:
    sync_run = rows_of(store, t.Run.id, where=t.Run.kind == RunKind.SYNC)[0][0]
    with pytest.raises(InputError, match="decided nothing"):
        preview_undo(service, ANALYST, Undoable(run_id=sync_run))
    with pytest.raises(NotFound):
        preview_undo(service, ANALYST, Undoable(decision_id=10**6))
    with pytest.raises(NotFound):
        preview_undo(service, ANALYST, Undoable(run_id=10**6))


def test_the_command_line_takes_back_and_says_what_it_left(
    service: Service, store: Store, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decision = assign(service, "u0", "a1")
    connected = {"URL": "https://centre.example", "TENANT_ID": "a.example", "CLIENT_ID": "c", "CLIENT_SECRET": "s"}
    settings = {f"W365_PARTNER_CENTER_{name}": value for name, value in connected.items()}
    settings |= {"W365_DATABASE_URL": str(store.engine.url), "W365_HOME": str(home)}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    dry = told("undo", "--decision", str(decision), "--dry-run")
    assert (dry["would_take_back"], dry["left"]) == (1, {})
    assert told("undo", "--decision", str(decision))["runs"][0]["result"] == {"taken_back": 1, "left": 0}
    again = told("undo", "--decision", str(decision))
    assert (again["would_take_back"], again["left"]) == (0, {"changed": 1})
    assert CliRunner().invoke(app, ["undo", "--last", "--decision", "1"]).exit_code == 2


def told(*command: str) -> dict[str, Any]:
    """Run a command and return its answer."""
    done = CliRunner().invoke(app, [*command, "--json"])
    assert done.exception is None
    return dict(json.loads(done.stdout))


def test_a_switched_sync_does_not_keep_a_decision_from_being_taken_back(service: Service, store: Store) -> None:
    before, decision = state_of(store), assign(service, "u0", "a1")
    row, version = seen(service, "u0")
    mapping.switch_sync(service, OTHER_ANALYST, row, on=False, seen=version)
    assert undoing.can_take_back(service, VIEWER, row) == {decision}
    undo(service, Undoable(decision_id=decision))
    assert state_of(store) == before
    undone = read_row(service, VIEWER, row).version
    mapping.switch_sync(service, OTHER_ANALYST, row, on=True, seen=undone)
    undo(service, Undoable(decision_id=undone))
    assert read_row(service, VIEWER, row).account_id == account_id_of(store, "a1")


def test_a_row_whose_day_has_come_is_not_parked_again_by_undo(service: Service, store: Store) -> None:
    park(service, "u0")
    with store.write() as connection:
        bring_back(connection, read_policy(connection), Who("w365", service.clock()), dt.date(2027, 3, 1))
    row = id_of(store, "u0")
    (returned,) = rows_of(store, t.Decision.id, where=t.Decision.kind == DecisionKind.RETURN)[0]
    assert preview_undo(service, ANALYST, Undoable(decision_id=returned)).plan.left == {"returned": 1}
    assert undoing.can_take_back(service, VIEWER, row) == frozenset()


def test_a_decision_taken_back_by_hand_belongs_to_no_run(service: Service, store: Store) -> None:
    before = state_of(store)
    decision = assign(service, "u0", "a1")
    row = undoing.take_back_now(service, ANALYST, decision)
    assert state_of(store) == before
    assert rows_of(store, t.Decision.run_id, where=t.Decision.id == row.version) == [(None,)]
    with pytest.raises(StaleEdit, match="changed since"):
        undoing.take_back_now(service, ANALYST, decision)


def test_a_decision_taken_back_by_hand_needs_no_stored_plan(service: Service, store: Store) -> None:
    undoing.take_back_now(service, ANALYST, assign(service, "u0", "a1"))
    assert (rows_of(store, t.Plan.id), rows_of(store, t.PlanRow.plan_id)) == ([], [])


def test_an_undo_has_the_origin_of_the_mapping_it_brings_back(service: Service, store: Store) -> None:
    undone = undoing.take_back_now(service, ANALYST, clear(service, "m0"))
    assert undone.origin == "auto"
    assert rows_of(store, t.Decision.origin, where=t.Decision.id == undone.version) == [("auto",)]


def test_one_decision_is_not_taken_back_where_another_has_the_account_meanwhile(service: Service, store: Store) -> None:
    configuration.set_setting(service, ADMIN, "cardinality", "unique")
    decision = clear(service, "m0")
    assign(service, "u0", "a0")
    before = state_of(store)
    with pytest.raises(StaleEdit, match="cannot go back to what it was"):
        undoing.take_back_now(service, ANALYST, decision)
    assert state_of(store) == before


def test_a_rejection_is_taken_back_on_a_row_that_shares_its_account_since_before_the_policy(service: Service) -> None:
    assign(service, "u0", "a1")
    assign(service, "u1", "a1")
    decision = reject(service, "u0", "a2")
    configuration.set_setting(service, ADMIN, "cardinality", "unique")
    assert preview_undo(service, ANALYST, Undoable(decision_id=decision)).plan.left == {}
    assert undoing.take_back_now(service, ANALYST, decision).account_name == "Mapped 1"
