"""Who is on the database is known to all, and one with another secret key does not begin."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from service.fakes import ADMIN, FakeClock, make_service

from w365 import __version__
from w365.errors import ConfigurationError, OtherVersion
from w365.model import ProcessKind
from w365.process_names import name_process
from w365.service import Service
from w365.service.configuring.settings import get_settings, set_setting
from w365.service.processes import SILENT_AFTER, get_installation, join_processes, say_alive
from w365.service.reading.visits import read_visit
from w365.store.db.engine import Store
from w365.store.db.migrate import newest_schema
from w365.store.processes import ProcessRow, list_processes, note_process

ELSEWHERE = "other/boot/pid:[1] 17 4711"
"""A process of another machine."""


@pytest.fixture
def service(store: Store, home: Path) -> Service:
    return make_service(store, home)


def with_keys(service: Service, key: str, *old: str) -> Service:
    return replace(service, settings=replace(service.settings, secret_key=key, old_secret_keys=old))


def join_elsewhere(service: Service) -> None:
    """Let a process of another machine, with the keys of this service, be there."""
    say_alive(service, ProcessKind.APP)
    with service.store.write() as connection:
        [here] = list_processes(connection, service.clock() - SILENT_AFTER)
        note_process(connection, replace(here, name=ELSEWHERE))


def test_an_installation_says_its_version_and_who_works_on_it(service: Service) -> None:
    join_processes(service, ProcessKind.WORKER)
    seen = get_installation(service, ADMIN)
    assert (seen.version, seen.schema, seen.stored_schema) == (__version__, newest_schema(), newest_schema())
    [worker] = seen.processes
    assert (worker.name, worker.kind, worker.version) == (name_process(), ProcessKind.WORKER, __version__)


def test_a_process_with_another_key_does_not_begin_while_the_other_lives(service: Service) -> None:
    join_elsewhere(service)
    other = with_keys(service, "another key")
    with pytest.raises(ConfigurationError, match="another than that of the app on other") as raised:
        join_processes(other, ProcessKind.WORKER)
    assert raised.value.setting == "W365_SECRET_KEY"
    clock = service.clock
    assert isinstance(clock, FakeClock)
    clock.forward(seconds=SILENT_AFTER.total_seconds() + 1)
    join_processes(other, ProcessKind.WORKER)


@pytest.mark.parametrize("keys", [("key",), ("newer", "key"), ("key", "older")])
def test_keys_are_changed_one_process_after_the_other(service: Service, keys: tuple[str, ...]) -> None:
    join_elsewhere(service)
    join_processes(with_keys(service, *keys), ProcessKind.APP)


def test_a_process_that_is_gone_from_this_machine_keeps_nobody_out(service: Service) -> None:
    join_elsewhere(service)
    machine = name_process().partition(" ")[0]
    with service.store.write() as connection:
        [*_, elsewhere] = list_processes(connection, service.clock() - SILENT_AFTER)
        note_process(connection, replace(elsewhere, name=f"{machine} 999999 1", keys=("foreign",)))
    join_processes(service, ProcessKind.APP)


def test_after_a_newer_version_changed_the_database_all_is_read_and_nothing_written(service: Service) -> None:
    service.store.schema = newest_schema()  # as whoever opens it by `migrate` knows it
    set_setting(service, ADMIN, "auto_match", "true")
    with service.store.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '99.0.0'")
    with pytest.raises(OtherVersion, match=r"changed the database \(schema 99\.0\.0") as raised:
        set_setting(service, ADMIN, "auto_match", "false")
    assert (raised.value.kept, raised.value.do.partition(" in")[0]) == ("Nothing was written.", "Reload the page")
    assert get_settings(service, ADMIN)["auto_match"] == "true"
    assert read_visit(service, ADMIN) is None
    assert get_installation(service, ADMIN).stored_schema == "99.0.0"


def test_what_was_not_seen_for_a_day_is_forgotten(service: Service) -> None:
    now = service.clock()
    old = ProcessRow(ELSEWHERE, ProcessKind.APP, "1.0.0", "1.0.0", (), now - dt.timedelta(days=2))
    with service.store.write() as connection:
        note_process(connection, old)
    say_alive(service, ProcessKind.APP)
    with service.store.read() as connection:
        assert [row.name for row in list_processes(connection, old.seen_at)] == [name_process()]
