"""Configuration says which version this is, and which others are open."""

from __future__ import annotations

from dataclasses import replace

import pytest
from stage import World

from w365 import __version__
from w365.errors import OtherVersion
from w365.model import ProcessKind
from w365.service.processes import SILENT_AFTER, say_alive
from w365.store.db.migrate import newest_schema
from w365.store.processes import list_processes, note_process
from w365.ui.frame.pages import PAGES


def test_it_says_version_and_schema(world: World) -> None:
    test = world.open("configuration")
    assert f"Version {__version__}, schema {newest_schema()}" in [caption.value for caption in test.caption]


def test_it_says_that_another_version_has_changed_the_database_and_who_is_open(world: World) -> None:
    say_alive(world.service, ProcessKind.APP)
    with world.service.store.write() as connection:
        [here] = list_processes(connection, world.service.clock() - SILENT_AFTER)
        note_process(connection, replace(here, name="other/b/p 1 2", version="99.1", schema="99.0"))
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '99.0'")
    test = world.open("configuration")
    assert not test.exception
    [warning] = test.warning
    assert f"it has the schema 99\\.0, and this app {newest_schema()}" in warning.value
    assert "1 process with another version than this app's:" in [caption.value for caption in test.caption]
    shown = test.dataframe[-1].value
    assert set(shown["Process"]) == {"App"}
    assert ("other", "99.1") in set(zip(shown["Machine"], shown["Version"], strict=True))


def test_every_page_is_drawn_after_another_version_changed_the_database(world: World) -> None:
    world.sync()
    world.service.store.schema = newest_schema()  # as whoever opens it by `migrate` knows it
    with world.service.store.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '99.0'")
    for page in PAGES:
        test = world.open(page.place or "overview")
        assert not test.exception, page
        assert not test.error, page
    with pytest.raises(OtherVersion), world.service.store.write():
        pass
