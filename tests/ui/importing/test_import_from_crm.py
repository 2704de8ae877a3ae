"""Mappings are read from the CRM's table by the worker, never by a page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from stage import ADMIN, ROOT, World, text_of
from streamlit.testing.v1 import AppTest

from w365.crm.mappings import RemoteMapping
from w365.crm.tables import MappingPlace
from w365.jobs import execute_run
from w365.model import RunKind, RunState
from w365.service.syncing.runs import list_runs
from w365.service.writeback.place import name_place
from w365.source_records import ChangePage

PLACE = MappingPlace("new_mapping", "new_id", "new_provider", "new_account")


class Table:
    """The CRM's table with a row for each of these customers; counts how often it is read."""

    def __init__(self, *customers: str) -> None:
        self.customers = customers
        self.read = 0

    def pages(self) -> Iterator[ChangePage[RemoteMapping]]:
        self.read += 1
        yield ChangePage(tuple(RemoteMapping(f"row {one}", one, "Partner Center", "a1") for one in self.customers))


@pytest.fixture
def table(world: World) -> Table:
    table = Table("id-1", "id-2")
    world.crm.mappings = lambda _place: table  # type: ignore[assignment, method-assign] - a table in the place of none
    name_place(world.service, ADMIN, PLACE, write=False)
    return table


def ask(world: World) -> AppTest:
    return world.open("import", {"what": "mappings"}).button("crm-read").click().run()


def do_compare(world: World) -> None:
    run = next(run for run in list_runs(world.service, ADMIN) if run.kind is RunKind.COMPARE)
    execute_run(world.service, run.id)


def test_the_page_asks_a_run_for_the_table_and_shows_it_once_it_was_read(world: World, table: Table) -> None:
    page = ask(world)
    assert table.read == 0
    assert [run.state for run in list_runs(world.service, ADMIN)] == [RunState.QUEUED]
    assert page.button("crm-read").disabled
    do_compare(world)
    page.run()
    assert table.read == 1
    assert "2 lines" in text_of(page)


def test_the_page_can_be_left_while_the_table_is_read(world: World, table: Table) -> None:
    page = ask(world)
    page.switch_page(str(ROOT / "pages" / "activity.py")).run()
    do_compare(world)
    page.run()
    page.switch_page(str(ROOT / "pages" / "import.py"))
    page.query_params["what"] = "mappings"
    assert "2 lines" in text_of(page.run())


def test_a_table_without_rows_is_said_and_can_be_asked_for_again(world: World, table: Table) -> None:
    table.customers = ()
    page = ask(world)
    do_compare(world)
    page.run()
    assert "The table new\\_mapping of Dataverse is empty" in text_of(page)
    assert not page.run().button("crm-read").disabled
