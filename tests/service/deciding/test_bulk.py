"""A bulk action does what its preview said to the rows it was previewed for, and undo brings all of it back."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fresh_stores import make_once
from service.fakes import (
    ADMIN,
    ANALYST,
    OTHER_ANALYST,
    VIEWER,
    account_id_of,
    claimed,
    id_of,
    rows_of,
    set_provider_cardinality,
)
from service.undo_steps import check_derived, state_of, world

from w365.errors import Cancelled, InputError, NotFound
from w365.jobs import execute_run
from w365.model import Actor, Cardinality, Reason, RunKind, RunState, Status
from w365.service import Service
from w365.service.configuring import settings
from w365.service.deciding import bulk_run, collaboration, mapping
from w365.service.deciding.bulk_actions import ACTIONS
from w365.service.deciding.bulk_preview import MOST_SELECTED, Selection, preview_bulk
from w365.service.deciding.bulk_run import PlanPreview, confirm_plan
from w365.service.deciding.undo import Undoable, preview_undo
from w365.service.matching.run import refresh_touched
from w365.service.reading.records import read_row
from w365.store import tables as t
from w365.store.db.engine import Store
from w365.store.lost_runs import release_lost
from w365.store.reading.worklist import Filter
from w365.store.runs import Progress, RunView, cancel_run, claim_run, end_run

EVERYTHING = Selection(criteria=Filter())
OPEN = Selection(criteria=Filter(statuses=(Status.UNMAPPED, Status.CONFLICT)))


@pytest.fixture
def service(store: Store, home: Path) -> Service:
    return furnished(store, home)


@pytest.fixture
def postgres_service(fresh_postgres: Store, home: Path) -> Service:
    return furnished(fresh_postgres, home)


def furnished(store: Store, home: Path) -> Service:
    """Rows in every state: mapped automatically and by hand, in conflict, rejected, parked, excluded, held."""
    service = world(store, home)
    make_once(store, "rows in every state", lambda: _furnish(service))
    return service


def _furnish(service: Service) -> None:
    store = service.store
    rows = {name: id_of(store, name) for name in ("u0", "u1", "u2", "m0", "m1", "c0", "c1")}
    mapping.park_row(service, ANALYST, rows["u0"], seen=0, reason="waits")
    mapping.exclude_row(service, ANALYST, rows["u1"], seen=0, reason="a test tenant")
    mapping.assign_account(service, ANALYST, rows["u2"], account_id_of(store, "a3"), seen=0)
    mapping.reject_candidate(service, ANALYST, rows["c0"], account_id_of(store, "b0"), seen=0)
    mapping.clear_mapping(service, ANALYST, rows["m0"], seen=read_row(service, VIEWER, rows["m0"]).version)
    by_match = rows_of(store, t.Decision.id, where=t.Decision.provider_account_id == rows["m1"])[0][0]
    execute_run(service, confirm_plan(service, ANALYST, preview_undo(service, ANALYST, Undoable(by_match)).plan.id))
    collaboration.set_owner(service, ANALYST, rows["m1"], "dora")
    collaboration.set_owner(service, ANALYST, rows["u0"], "cleo")
    suggest(store, "u3", ("a2", 0.9), ("a1", 0.4))
    suggest(store, "c1", ("b1", 0.85), ("d1", 0.85))
    suggest(store, "c2", ("b2", 0.95), ("d2", 0.7))
    suggest(store, "c3", ("b3", 0.6))


def suggest(store: Store, specific_id: str, *scored: tuple[str, float]) -> None:
    row, table = id_of(store, specific_id), t.CurrentCandidate
    with store.write() as connection:
        connection.execute(sa.delete(table).where(table.provider_account_id == row))
        for rank, (crm_id, score) in enumerate(scored, start=1):
            account = connection.scalar(sa.select(t.Account.id).where(t.Account.crm_id == crm_id))
            values = {"provider_account_id": row, "rank": rank, "account_id": account, "score": score, "signals": []}
            connection.execute(sa.insert(table).values(values))


def details(store: Store) -> dict[str, dict[str, Any]]:
    return {
        "accept": {"score": 0.8},
        "assign": {"account": account_id_of(store, "a2")},
        "exclude": {"reason": "none of ours"},
        "park": {"reason": "asked them", "until": "2027-01-31"},
        "unmap": {},
        "reopen": {},
        "owner": {"owner": " dora "},
    }


def preview(service: Service, action: str, chosen: Selection = EVERYTHING, actor: Actor = ANALYST) -> PlanPreview:
    return preview_bulk(service, actor, chosen, action, details(service.store)[action])


def do(service: Service, what: PlanPreview, actor: Actor = ANALYST) -> RunView:
    run = execute_run(service, confirm_plan(service, actor, what.plan.id))
    assert (run.state, run.error) == (RunState.DONE, "")
    return run


def undo(service: Service, run: RunView, actor: Actor = ANALYST) -> RunView:
    return do(service, preview_undo(service, actor, Undoable(run_id=run.id)), actor)


EXPECTED = {
    "accept": (2, {"mapped": 3, "set_aside": 2, "no_candidate": 2, "below_score": 2, "tied": 1}),
    "assign": (7, {"mapped": 3, "set_aside": 2}),
    "exclude": (8, {"mapped": 3, "excluded": 1}),
    "park": (8, {"mapped": 3, "parked": 1}),
    "unmap": (3, {"not_mapped": 9}),
    "reopen": (3, {"mapped": 3, "open": 6}),
    "owner": (11, {"same_owner": 1}),
}


def check_there_and_back(service: Service, action: str) -> None:
    """The preview changes nothing, the action what the preview counted, undo brings back exactly what was."""
    before = state_of(service.store)
    shown = preview(service, action)
    assert state_of(service.store) == before
    assert (shown.plan.would, shown.plan.left) == EXPECTED[action]
    run = do(service, shown)
    assert run.result == {"rows_changed": shown.plan.would, "left": sum(shown.plan.left.values())}
    after = state_of(service.store)
    assert after != before
    check_derived(service.store)
    undone = undo(service, run)
    assert undone.result == {"taken_back": shown.plan.would, "left": 0}
    assert state_of(service.store) == before
    check_derived(service.store)
    undo(service, undone)
    assert state_of(service.store) == after


@pytest.mark.parametrize("action", [name for name, one in ACTIONS.items() if one.plan])
def test_every_action_does_what_it_said_and_is_taken_back_exactly(service: Service, action: str) -> None:
    check_there_and_back(service, action)


@pytest.mark.postgres
def test_every_action_is_taken_back_exactly_on_postgresql(postgres_service: Service) -> None:
    for action in EXPECTED:
        check_there_and_back(postgres_service, action)
        newest = rows_of(postgres_service.store, t.Run.id, where=t.Run.kind == RunKind.UNDO)[-1][0]
        do(postgres_service, preview_undo(postgres_service, ANALYST, Undoable(run_id=newest)))


def test_one_by_one_and_in_bulk_leave_the_same(service: Service, store: Store) -> None:
    """The set-based decisions are those of a person's hand, row for row."""
    run = do(service, preview(service, "unmap"))
    in_bulk = undecided(store)
    undo(service, run)
    for (row_id,) in rows_of(store, t.Mapping.provider_account_id):
        mapping.clear_mapping(service, ANALYST, row_id, seen=read_row(service, VIEWER, row_id).version)
    assert undecided(store) == in_bulk


def undecided(store: Store) -> list[list[tuple[Any, ...]]]:
    pair = (t.Rejection.provider_account_id, t.Rejection.account_id)
    candidate = t.CurrentCandidate
    candidates = rows_of(store, candidate.provider_account_id, candidate.rank, candidate.account_id)
    return [rows_of(store, t.Mapping.provider_account_id), rows_of(store, *pair), candidates]


def test_a_selection_touches_no_other_row(service: Service, store: Store) -> None:
    chosen = Selection(ids=(id_of(store, "c2"), id_of(store, "m2")))
    run = do(service, preview(service, "exclude", chosen))
    assert rows_of(store, t.Decision.provider_account_id, where=t.Decision.run_id == run.id) == [(id_of(store, "c2"),)]


def test_what_was_previewed_is_what_is_changed(service: Service, store: Store) -> None:
    """A row that moved is left and listed with who moved it; one that came into the filter later is not touched."""
    shown = preview(service, "exclude", OPEN)
    row = read_row(service, VIEWER, id_of(store, "c2"))
    mapping.assign_account(service, OTHER_ANALYST, row.id, account_id_of(store, "b2"), seen=row.version)
    u2 = read_row(service, VIEWER, id_of(store, "u2"))
    mapping.clear_mapping(service, OTHER_ANALYST, u2.id, seen=u2.version)
    run = do(service, shown)
    assert run.result == {"rows_changed": shown.plan.would - 1, "left": 1}
    left = bulk_run.list_left(service, VIEWER, shown.plan.id)
    assert [(one.provider_account_id, one.why, one.by) for one in left] == [(row.id, "changed", OTHER_ANALYST.name)]
    assert read_row(service, VIEWER, row.id).status is Status.MAPPED
    assert read_row(service, VIEWER, u2.id).status is Status.UNMAPPED


def test_evidence_is_kept_and_a_choice_against_it_is_noted(service: Service, store: Store) -> None:
    do(service, preview(service, "accept"))
    evidence = rows_of(store, t.DecisionEvidence.domain, where=t.DecisionEvidence.decision_id == t.Mapping.decision_id)
    assert ("c2.com",) in evidence
    chosen = Selection(ids=(id_of(store, "c1"),))
    do(service, preview(service, "assign", chosen))
    noted = rows_of(store, t.Mapping.against_evidence, where=t.Mapping.provider_account_id == id_of(store, "c1"))
    assert noted == [(True,)]


def test_a_rejected_pair_is_never_mapped(service: Service, store: Store) -> None:
    account = account_id_of(store, "b0")
    shown = preview_bulk(service, ANALYST, Selection(ids=(id_of(store, "c0"),)), "assign", {"account": account})
    assert (shown.plan.would, shown.plan.left) == (0, {"rejected": 1})
    suggest(store, "c0", ("b0", 0.99))
    assert preview(service, "accept", Selection(ids=(id_of(store, "c0"),))).plan.left == {"rejected": 1}


def check_unique(service: Service) -> None:
    """Neither two rows of the set nor a row of the set and a mapping share an account."""
    store = service.store
    settings.set_setting(service, ADMIN, "cardinality", "unique")
    refresh_touched(service)
    shown = preview_bulk(service, ANALYST, OPEN, "assign", {"account": account_id_of(store, "b2")})
    assert shown.plan.left == {"contested": 7}
    one = Selection(ids=(id_of(store, "c3"),))
    assert preview(service, "assign", one).plan.left == {"taken": 1}
    free = preview_bulk(service, ANALYST, one, "assign", {"account": account_id_of(store, "b3")})
    other = preview_bulk(
        service, ANALYST, Selection(ids=(id_of(store, "c2"),)), "assign", {"account": account_id_of(store, "b3")}
    )
    assert do(service, free).result["rows_changed"] == 1
    assert do(service, other).result == {"rows_changed": 0, "left": 1}
    check_derived(store)


@pytest.mark.parametrize("changed", [{"is_active": False}, {"is_deleted": True}], ids=["inactive", "deleted"])
def test_an_account_that_went_after_the_preview_is_given_to_nobody(
    service: Service, store: Store, changed: dict[str, bool]
) -> None:
    shown = preview(service, "assign", OPEN)
    assert shown.plan.would
    with store.write() as connection:
        connection.execute(sa.update(t.Account).where(t.Account.crm_id == "a2").values(changed))
    run = do(service, shown)
    assert run.result == {"rows_changed": 0, "left": shown.plan.would}
    assert {one.why for one in bulk_run.list_left(service, VIEWER, shown.plan.id)} == {"account_gone"}


def test_under_a_unique_policy_no_account_is_given_twice(service: Service) -> None:
    check_unique(service)


@pytest.mark.postgres
def test_under_a_unique_policy_no_account_is_given_twice_on_postgresql(postgres_service: Service) -> None:
    check_unique(postgres_service)


def test_of_rows_that_need_one_account_none_gets_it_in_whatever_part_it_stands(service: Service, store: Store) -> None:
    """The policy became a unique one between preview and confirmation."""
    run_id = confirm_plan(service, ANALYST, preview_assign(service, "b3").plan.id)
    settings.set_setting(service, ADMIN, "cardinality", "unique")
    with store.write() as connection:
        run = claim_run(connection, run_id, service.clock())
    assert run is not None
    done = bulk_run.run_plan(service, run, Progress(store, run_id, service.clock), part=1)
    assert done == {"rows_changed": 0, "left": 7}


def preview_assign(service: Service, crm_id: str) -> PlanPreview:
    return preview_bulk(service, ANALYST, OPEN, "assign", {"account": account_id_of(service.store, crm_id)})


def test_an_account_that_became_inactive_meanwhile_is_given_to_none_of_many(service: Service, store: Store) -> None:
    shown = preview_assign(service, "b3")
    with store.write() as connection:
        connection.execute(sa.update(t.Account).where(t.Account.crm_id == "b3").values(is_active=False))
    assert do(service, shown).result == {"rows_changed": 0, "left": 7}
    assert {one.why for one in bulk_run.list_left(service, VIEWER, shown.plan.id)} == {"account_gone"}


def test_a_policy_of_one_provider_holds_for_its_rows_alone(service: Service, store: Store) -> None:
    provider = rows_of(store, t.Provider.id)[0][0]
    set_provider_cardinality(service, provider, Cardinality.UNIQUE_IN_PROVIDER)
    assert preview(service, "assign", OPEN).plan.left == {"taken": 7}


def test_who_wanted_an_account_that_a_bulk_gave_away_is_told(service: Service, store: Store) -> None:
    settings.set_setting(service, ADMIN, "cardinality", "unique")
    refresh_touched(service)
    one = Selection(ids=(id_of(store, "c3"),))

    def reason_of_rival() -> Reason:
        return read_row(service, VIEWER, id_of(store, "m1")).reason

    assert reason_of_rival() is Reason.RULE
    do(service, preview_bulk(service, ANALYST, one, "assign", {"account": account_id_of(store, "a1")}))
    assert reason_of_rival() is Reason.ACCOUNT_TAKEN
    do(service, preview(service, "unmap", one))
    assert reason_of_rival() is Reason.RULE


def test_a_preview_is_kept_for_a_day_and_what_was_confirmed_for_longer(service: Service, store: Store) -> None:
    confirmed, waiting = preview(service, "exclude").plan.id, preview(service, "unmap").plan.id
    confirm_plan(service, ANALYST, confirmed)
    for seconds, kept in ((24 * 3600, {confirmed, waiting}), (24 * 3600 + 1, {confirmed})):
        later = service.clock() + dt.timedelta(seconds=seconds)
        preview(replace(service, clock=lambda at=later: at), "reopen")
        assert {confirmed, waiting} & {row[0] for row in rows_of(store, t.Plan.id)} == kept


def check_two_at_once(service: Service) -> None:
    """Two overlapping bulks confirmed at once: every row is changed by exactly one, the other lists it as changed."""
    shown = [preview(service, "exclude", OPEN, ANALYST), preview(service, "park", OPEN, OTHER_ANALYST)]
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(do, service, one, who) for one, who in zip(shown, (ANALYST, OTHER_ANALYST), strict=True)]
        runs = [job.result() for job in jobs]
    changed = [run.result["rows_changed"] for run in runs]
    assert sum(changed) == shown[0].plan.would == shown[1].plan.would
    assert [run.result["left"] for run in runs] == [sum(changed) - one for one in changed]
    orders = rows_of(service.store, t.StandingOrder.kind, where=t.StandingOrder.decision_id == t.Decision.id)
    assert len(orders) == sum(changed) + 2
    check_derived(service.store)


def test_two_overlapping_bulks_at_once_lose_nothing(service: Service) -> None:
    check_two_at_once(service)


@pytest.mark.postgres
def test_two_overlapping_bulks_at_once_lose_nothing_on_postgresql(postgres_service: Service) -> None:
    check_two_at_once(postgres_service)


def test_a_bulk_of_several_parts_is_one_run_and_a_cancelled_one_can_be_taken_back(
    service: Service, store: Store
) -> None:
    before = state_of(store)
    run_id = confirm_plan(service, ANALYST, preview(service, "exclude").plan.id)
    with store.write() as connection:
        run = claim_run(connection, run_id, service.clock())
        cancel_run(connection, run_id, service.clock())
    assert run is not None
    with pytest.raises(Cancelled, match="3 provider accounts were done"):
        bulk_run.run_plan(service, run, Progress(store, run_id, service.clock), part=3)
    assert len(rows_of(store, t.Decision.id, where=t.Decision.run_id == run_id)) == 3
    with store.write() as connection:
        end_run(connection, run_id, RunState.CANCELLED, service.clock())
    assert do(service, preview_undo(service, ANALYST, Undoable(run_id=run_id))).result["taken_back"] == 3
    assert state_of(store) == before


def test_a_bulk_whose_process_ended_goes_on_with_the_rows_that_are_left(service: Service, store: Store) -> None:
    class Killed(Progress):
        def check(self) -> None:
            raise KeyboardInterrupt

    before = state_of(store)
    run_id = confirm_plan(service, ANALYST, preview(service, "exclude").plan.id)
    with pytest.raises(KeyboardInterrupt):
        bulk_run.run_plan(service, claimed(service, run_id), Killed(store, run_id, service.clock), part=3)
    with store.write() as connection:
        release_lost(connection, [run_id], service.clock())
    run = execute_run(service, run_id)
    decided = len(rows_of(store, t.Decision.id, where=t.Decision.run_id == run_id))
    assert (run.state, run.result["rows_changed"], run.actor) == (RunState.DONE, decided, ANALYST.name)
    assert decided > 3
    assert do(service, preview_undo(service, ANALYST, Undoable(run_id=run_id))).result["taken_back"] == decided
    assert state_of(store) == before


REFUSED: tuple[tuple[str, dict[str, Any], type[Exception], str], ...] = (
    ("exclude", {"reason": "  "}, InputError, "reason is needed"),
    ("park", {"reason": "x" * 501}, InputError, "500 characters"),
    ("park", {"reason": "waits", "until": "2026-11-02"}, InputError, "not in the future"),
    ("accept", {"score": 1.01}, InputError, "between 0 and 1"),
    ("accept", {"score": -0.01}, InputError, "between 0 and 1"),
    ("accept", {}, InputError, "between 0 and 1"),
    ("assign", {"account": 10**6}, NotFound, "inactive or does not exist"),
    ("owner", {}, InputError, "Nobody was named"),
    ("owner", {"owner": "*all"}, InputError, "asterisk"),
    ("undo", {}, InputError, "no bulk action"),
    ("drop", {}, InputError, "no bulk action"),
)


@pytest.mark.parametrize(
    ("action", "detail"),
    [("accept", {"score": 0.0}), ("accept", {"score": 1.0}), ("park", {"reason": "x" * 500, "until": "2026-11-03"})],
)
def test_the_least_and_the_greatest_can_be_used(service: Service, action: str, detail: dict[str, Any]) -> None:
    preview_bulk(service, ANALYST, EVERYTHING, action, detail)


def test_so_many_rows_can_be_chosen_one_by_one_and_no_more(service: Service) -> None:
    preview_bulk(service, ANALYST, Selection(ids=tuple(range(MOST_SELECTED))), "reopen")
    with pytest.raises(InputError, match="At most 5,000 rows"):
        preview_bulk(service, ANALYST, Selection(ids=tuple(range(MOST_SELECTED + 1))), "reopen")


@pytest.mark.parametrize(("rows", "is_small"), [(bulk_run.AT_ONCE, True), (bulk_run.AT_ONCE + 1, False)])
def test_a_plan_of_500_rows_is_done_while_the_person_waits(service: Service, rows: int, *, is_small: bool) -> None:
    shown = preview(service, "exclude")
    assert replace(shown, plan=replace(shown.plan, would=rows)).is_small is is_small


@pytest.mark.parametrize(("action", "detail", "error", "said"), REFUSED)
def test_what_cannot_be_used_is_refused(
    service: Service, action: str, detail: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        preview_bulk(service, ANALYST, EVERYTHING, action, detail)
