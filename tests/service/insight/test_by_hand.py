"""What people decided is the same on the Activity page, in the effort of a week and in a period."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from service.fakes import ANALYST, OTHER_ANALYST, VIEWER, FakeClock, account_id_of, id_of
from service.import_files import csv_sheet
from service.undo_steps import world

from w365.jobs import execute_run
from w365.model import DecisionKind
from w365.service import Service
from w365.service.deciding import mapping
from w365.service.deciding.bulk_preview import Selection, preview_bulk
from w365.service.deciding.bulk_run import confirm_plan
from w365.service.deciding.parking import return_parked
from w365.service.deciding.undo import Undoable, preview_undo
from w365.service.importing.mapping_plan import FIELDS
from w365.service.importing.mappings import import_mappings
from w365.service.insight import activity
from w365.service.insight.periods import compare_periods, read_effort
from w365.sheets import guess_columns
from w365.store.db.engine import Store
from w365.store.insight.activity import ActivityFilter


def decide_in_every_way(service: Service, store: Store) -> None:
    """A row by hand, two rows in bulk, both taken back, one imported; one parked, for which the calendar decides."""
    today = service.clock().date()
    mapping.assign_account(service, ANALYST, id_of(store, "u0"), account_id_of(store, "a0"), seen=0)
    mapping.park_row(
        service, OTHER_ANALYST, id_of(store, "u1"), seen=0, reason="later", until=today + dt.timedelta(days=1)
    )
    chosen = Selection(ids=(id_of(store, "u2"), id_of(store, "u3")))
    plan = preview_bulk(service, ANALYST, chosen, "exclude", {"reason": "ours"}).plan
    run = execute_run(service, confirm_plan(service, ANALYST, plan.id))
    undo = preview_undo(service, OTHER_ANALYST, Undoable(run_id=run.id)).plan
    execute_run(service, confirm_plan(service, OTHER_ANALYST, undo.id))
    sheet = csv_sheet(("Customer id", "Account"), ("u2", "a2"))
    import_mappings(service, ANALYST, sheet, guess_columns(sheet.headings, FIELDS))
    assert isinstance(service.clock, FakeClock)
    service.clock.forward(days=1)
    assert return_parked(service) == 1


def test_page_and_figures_count_what_people_decided_and_neither_match_nor_calendar(store: Store, home: Path) -> None:
    service = world(store, home)
    begin = service.clock()
    decide_in_every_way(service, store)
    everything = activity.list_decisions(service, VIEWER, ActivityFilter())
    assert {one.actor for one in everything if one.kind is DecisionKind.RETURN} == {"calendar"}
    assert len(everything) == 4 + 7 + 1, "the match mapped four"
    by_hand = activity.list_decisions(service, VIEWER, ActivityFilter(by_hand=True))
    assert sorted(one.kind for one in by_hand) == ["exclude", "exclude", "map", "map", "park", "undo", "undo"]
    assert sum(one.decisions for one in read_effort(service, VIEWER)) == len(by_hand)
    period = (begin, begin + dt.timedelta(days=2))
    figures = {one.name: one.first for one in compare_periods(service, VIEWER, period, period)}
    assert (figures["Decisions by hand"], figures["People who decided"]) == (len(by_hand), 2)
