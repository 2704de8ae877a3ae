"""What a run of a page costs, by what can be counted: objects that collections of garbage walk over, statements."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from stage import ROOT, World

from w365.store import tables as t
from w365.store.tables import READY

_STARTED = """
import gc
import sys

from streamlit import config
from w365.ui.frame.app_runtime import keep_imported

assert not config.get_option("runner.postScriptGC"), "each run of a page would collect all that is in memory"
keep_imported()
assert gc.get_freeze_count() > 100_000
assert "st_aggrid" in sys.modules
"""


def test_no_run_of_a_page_collects_garbage_and_what_is_imported_is_left_out_of_collections() -> None:
    started = subprocess.run(
        [sys.executable, "-c", _STARTED], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert started.returncode == 0, started.stderr


@contextmanager
def statements(world: World) -> Iterator[list[str]]:
    """Note the statements that the database is asked while the block runs."""
    noted: list[str] = []

    def note(*execution: Any) -> None:
        noted.append(execution[2])

    engine = world.service.store.engine
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield noted
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


FEW = ("drift <> ''", READY)
"""Parts of the rows that have an index of their own."""


@pytest.mark.parametrize("page", ["overview", "people", "providers"])
def test_a_page_counts_by_the_kept_counts_and_walks_over_no_rows(world: World, page: str) -> None:
    world.sync()
    test = world.open(page)
    with statements(world) as noted:
        test.run()
    assert any("FROM worklist_count" in statement for statement in noted)
    walks = [one for one in noted if re.search(r"(sum|count)\(.*FROM worklist\b(?! *JOIN)", one, re.DOTALL)]
    assert not [walk for walk in walks if not any(part in walk for part in FEW)]


def test_a_record_looks_for_no_similar_accounts_while_the_form_that_shows_them_is_closed(world: World) -> None:
    world.sync()
    with world.service.store.read() as connection:
        row = connection.scalar(sa.select(t.Worklist.provider_account_id).where(t.Worklist.account_id.is_(None)))
    test = world.open("provider_accounts", {"status": "all", "record": str(row)})
    assert any("Create an account" in expander.label for expander in test.expander)
    with statements(world) as noted:
        test.run()
    assert noted
    assert not [statement for statement in noted if "FROM word" in statement and "worklist" not in statement]


def test_a_record_that_is_opened_is_read_once(world: World) -> None:
    world.sync()
    with world.service.store.read() as connection:
        row = connection.scalar(sa.select(t.Worklist.provider_account_id))
    test = world.open("provider_accounts", {"status": "all", "record": str(row)})
    with statements(world) as noted:
        test.run()
    assert sum("domain_source" in one for one in noted) == 1
