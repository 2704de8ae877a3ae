"""Undo at the decision itself, in the record: a button where it holds, elsewhere the reason why there is none."""

from __future__ import annotations

import pytest
from stage import ADMIN, World, text_of
from streamlit.testing.v1 import AppTest

from w365.model import Actor, Role, Status
from w365.service.deciding import mapping
from w365.service.reading.records import list_rows, read_row
from w365.store.reading.worklist import Filter, Row

OTHER = Actor("cleo", Role.ANALYST)


@pytest.fixture
def row(world: World) -> Row:
    """An open row that ana excluded and reopened."""
    world.sync()
    row = list_rows(world.service, ADMIN, Filter(statuses=(Status.UNMAPPED,)))[0]
    mapping.exclude_row(world.service, ADMIN, row.id, seen=0, reason="a test tenant")
    version = read_row(world.service, ADMIN, row.id).version
    return mapping.reopen_row(world.service, ADMIN, row.id, seen=version).row


def open_record(world: World, row: Row) -> AppTest:
    test = world.open("provider_accounts")
    test.session_state["accounts_record"] = row.id
    return test.run()


def undo_buttons(test: AppTest) -> list[str]:
    return [str(one.key).rpartition("-")[2] for one in test.button if "-undo-" in str(one.key)]


def test_the_decision_that_holds_is_taken_back_where_it_stands(world: World, row: Row) -> None:
    test = open_record(world, row)
    assert undo_buttons(test) == [str(row.version)]
    assert "Cannot be undone\\: decided again" in text_of(test)
    next(one for one in test.button if "-undo-" in str(one.key)).click().run()
    assert not test.exception
    now = read_row(world.service, ADMIN, row.id)
    assert (now.status, now.version) == (Status.EXCLUDED, row.version + 1)
    again = open_record(world, row)
    assert undo_buttons(again) == [str(now.version), str(row.version - 1)]  # the undo, and what it brought back
    assert "Taken back" in text_of(again)
    assert [one.label for one in again.button if "-undo-" in str(one.key)] == ["Redo", "Undo"]


def test_a_decision_of_another_meanwhile_is_said_and_left(world: World, row: Row) -> None:
    test = open_record(world, row)
    mapping.exclude_row(world.service, OTHER, row.id, seen=row.version, reason="not ours")
    next(one for one in test.button if "-undo-" in str(one.key)).click().run()
    (told,) = (str(one.value) for one in test.info)
    assert told.startswith("**Decided meanwhile: Excluded")
    assert "cleo" in told
    assert read_row(world.service, ADMIN, row.id).status is Status.EXCLUDED
