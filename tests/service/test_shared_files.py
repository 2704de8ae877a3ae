"""What one process keeps another finds, for an hour; and something is used up once."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from service.fakes import make_service

from w365.service import Service
from w365.service.shared_files import KEPT, fetch_file, forget_old_files, forget_shared_file, share_file, use_up
from w365.store.db.engine import Store


@pytest.fixture
def service(store: Store, home: Path) -> Service:
    return make_service(store, home)


def keep_and_fetch(service: Service, other: Service) -> None:
    share_file(service, "media/1", b"first", {"name": "a"})
    share_file(other, "media/1", b"\x00second", {"name": "b"})
    assert fetch_file(service, "media/1") == ({"name": "b"}, b"\x00second")
    forget_shared_file(other, "media/1")
    assert fetch_file(service, "media/1") is None
    assert [use_up(each, "link/1") for each in (service, other, service)] == [True, False, False]


def test_what_one_process_keeps_another_finds_and_forgets(service: Service, home: Path) -> None:
    keep_and_fetch(service, make_service(service.store, home / "elsewhere"))


@pytest.mark.postgres
def test_on_postgresql_it_waits_for_no_match_that_writes(fresh_postgres: Store, home: Path) -> None:
    service = make_service(fresh_postgres, home)
    with fresh_postgres.write():
        keep_and_fetch(service, service)


@pytest.mark.postgres
def test_of_many_that_use_something_at_once_one_does(fresh_postgres: Store, home: Path) -> None:
    service, together = make_service(fresh_postgres, home), threading.Barrier(8)

    def use(_number: int) -> bool:
        together.wait(10)
        return use_up(service, "link/1")

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(use, range(8))) == [False] * 7 + [True]


def test_what_was_kept_for_an_hour_is_forgotten(service: Service) -> None:
    share_file(service, "upload/s/1", b"", {})
    at = service.clock()
    for later, is_kept in ((KEPT, True), (KEPT + dt.timedelta(seconds=1), False)):
        forget_old_files(replace(service, clock=lambda later=later: at + later))  # type: ignore[misc]
        assert (fetch_file(service, "upload/s/1") is not None) is is_kept
