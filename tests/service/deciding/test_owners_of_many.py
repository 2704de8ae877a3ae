"""Owners in bulk: what was given since is left and listed, what was decided since is given all the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from service.fakes import ANALYST, OTHER_ANALYST, VIEWER, id_of, rows_of
from service.undo_steps import check_derived, world

from w365.jobs import execute_run
from w365.model import RunState
from w365.service import Service
from w365.service.deciding import bulk_run, collaboration, mapping
from w365.service.deciding.bulk_preview import Selection, preview_bulk
from w365.service.deciding.bulk_run import PlanPreview, confirm_plan
from w365.service.deciding.undo import Undoable, last_decision, preview_undo
from w365.service.insight.activity import list_owner_changes
from w365.store import tables as t
from w365.store.db.engine import Store
from w365.store.insight.owner_changes import OwnerChangeFilter
from w365.store.reading.worklist import Filter
from w365.store.runs import RunView


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def service(request: pytest.FixtureRequest, home: Path) -> Service:
    store: Store = request.getfixturevalue("store" if request.param == "sqlite" else "fresh_postgres")
    return world(store, home)


def give(service: Service, owner: str, *names: str) -> PlanPreview:
    chosen = Selection(ids=tuple(id_of(service.store, name) for name in names))
    return preview_bulk(service, ANALYST, chosen, "owner", {"owner": owner})


def do(service: Service, what: PlanPreview) -> RunView:
    run = execute_run(service, confirm_plan(service, ANALYST, what.plan.id))
    assert (run.state, run.error) == (RunState.DONE, "")
    return run


def owners(service: Service) -> dict[str, str]:
    pa = t.ProviderAccount
    return dict(
        rows_of(service.store, pa.specific_id, t.Ownership.owner, where=pa.id == t.Ownership.provider_account_id)
    )


def test_what_was_given_or_decided_between_preview_and_confirmation(service: Service) -> None:
    shown = give(service, "dora", "u0", "u1", "u2")
    assert [(one.row.owner, one.owner) for one in shown.sample] == [("", "dora")] * 3
    collaboration.set_owner(service, OTHER_ANALYST, id_of(service.store, "u0"), "eve")
    mapping.exclude_row(service, OTHER_ANALYST, id_of(service.store, "u1"), seen=0, reason="a test tenant")
    assert do(service, shown).result == {"rows_changed": 2, "left": 1}
    assert owners(service) == {"u0": "eve", "u1": "dora", "u2": "dora"}
    (left,) = bulk_run.list_left(service, VIEWER, shown.plan.id)
    assert (left.why, left.by, left.owner, left.kind) == ("changed", OTHER_ANALYST.name, "eve", None)
    check_derived(service.store)


def test_undo_brings_each_owner_back_and_leaves_who_was_given_since(service: Service) -> None:
    collaboration.set_owner(service, OTHER_ANALYST, id_of(service.store, "u0"), "eve")
    run = do(service, give(service, "", "u0"))
    assert owners(service) == {}
    run = do(service, give(service, "dora", "u0", "u1", "u2"))
    collaboration.set_owner(service, OTHER_ANALYST, id_of(service.store, "u2"), "eve")
    collaboration.set_owner(service, OTHER_ANALYST, id_of(service.store, "u2"), "dora")  # again, but theirs to take
    assert last_decision(service, ANALYST) == Undoable(run_id=run.id)
    back = preview_undo(service, ANALYST, Undoable(run_id=run.id))
    assert (back.plan.would, back.plan.left) == (2, {"changed": 1})
    undone = do(service, back)
    assert undone.result == {"taken_back": 2, "left": 1}
    assert owners(service) == {"u2": "dora"}
    assert last_decision(service, ANALYST) != Undoable(run_id=run.id)
    assert preview_undo(service, ANALYST, Undoable(run_id=run.id)).plan.would == 0  # it is taken back once
    do(service, preview_undo(service, ANALYST, Undoable(run_id=undone.id)))
    assert owners(service) == {"u0": "dora", "u1": "dora", "u2": "dora"}
    assert preview_undo(service, ANALYST, Undoable(run_id=run.id)).plan.would == 2  # and again, as it holds again
    named = [one.run_id for one in list_owner_changes(service, VIEWER, OwnerChangeFilter(text="dora"))]
    assert named.count(run.id) == 3
    assert None in named
    check_derived(service.store)


def test_the_last_that_a_person_did_is_what_they_did_last(service: Service) -> None:
    given = do(service, give(service, "dora", "u0"))
    assert last_decision(service, ANALYST) == Undoable(run_id=given.id)
    decided = mapping.exclude_row(service, ANALYST, id_of(service.store, "u0"), seen=0, reason="a test tenant")
    assert last_decision(service, ANALYST) == Undoable(decision_id=decided.decision_id)
    assert last_decision(service, OTHER_ANALYST) is None


def test_all_of_a_filter_by_owner_is_what_it_was_when_previewed(service: Service) -> None:
    do(service, give(service, "dora", "u0", "u1"))
    shown = preview_bulk(service, ANALYST, Selection(criteria=Filter(owner="dora")), "owner", {"owner": "eve"})
    assert (shown.plan.would, shown.plan.title) == (2, "Owner: eve")
    do(service, shown)
    assert set(owners(service).values()) == {"eve"}
