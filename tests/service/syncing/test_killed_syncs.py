"""A sync over real sockets that is killed, wherever it was: the next one goes on there and nothing differs after it."""

from __future__ import annotations

import datetime as dt
import os
import random
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fresh_stores import put_migrated
from processes import CONTEXT
from service.fakes import rows_of

from tests.servers import running
from w365.config import load_settings
from w365.demo.faults import Fault
from w365.demo.servers import Servers
from w365.demo.world import Company, Subscription, World
from w365.jobs import execute_run
from w365.model import Actor, Role, RunState
from w365.service import Service
from w365.service.bootstrap import open_service
from w365.service.syncing.runs import request_sync
from w365.store import tables as t
from w365.store.runs import RunView, get_run, now

ADMIN = Actor("ada", Role.ADMIN)
PAX8 = "Pax8"
COUNT = 700
"""Four pages of 200."""


def company(number: int) -> Company:
    bought = Subscription(f"{number:08x}-1111-4000-8000-000000000000", "Suite", 1 + number % 9)
    identifier = f"{number:08x}-0000-4000-8000-000000000000"
    return Company(identifier, f"Company {number:04}", f"company-{number}.example", subscriptions=(bought,))


WORLD = World("killed", (), (), (), companies=tuple(map(company, range(COUNT))))


def opened(environment: Mapping[str, str], home: Path, minutes: int = 0) -> Service:
    """A service whose clock is so many minutes ahead: a process killed before has been silent for as long."""
    if not (home / "w365.db").exists():
        put_migrated(home)
    made = open_service(load_settings({**environment, "W365_HOME": str(home)}, home / "none.toml"))
    return replace(made, clock=lambda: now() + dt.timedelta(minutes=minutes))


def sync_in_this_process(environment: Mapping[str, str], home: Path, run_id: int, minutes: int) -> None:
    execute_run(opened(environment, home, minutes), run_id)


def killed_sync(
    environment: Mapping[str, str], home: Path, minutes: int, is_time: Callable[[RunView], bool]
) -> tuple[RunView, bool]:
    """Sync in another process and kill it as soon as it is time; tell how it stood, and whether it was over before."""
    service = opened(environment, home, minutes)
    run_id = request_sync(service, ADMIN, PAX8)
    process = CONTEXT.Process(target=sync_in_this_process, args=(environment, home, run_id, minutes))
    process.start()
    while process.is_alive() and not is_time(look(service, run_id)):
        time.sleep(0.005)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    process.close()
    run = look(service, run_id)
    service.store.close()
    return run, run.state is RunState.DONE


def look(service: Service, run_id: int) -> RunView:
    with service.store.read() as connection:
        return get_run(connection, run_id)


def contents(service: Service) -> dict[str, list[tuple[Any, ...]]]:
    account, sub, work = t.ProviderAccount, t.ProviderSubscription, t.Worklist
    return {
        "rows": rows_of(service.store, account.specific_id, account.name, account.main_domain, account.gone_at),
        "subscriptions": rows_of(service.store, sub.subscription_id, sub.quantity),
        "worklist": rows_of(service.store, work.specific_id, work.status, work.reason, work.seats),
        "words": rows_of(service.store, t.Word.subject, t.Word.word),
    }


def pages_asked(servers: Servers) -> list[str]:
    return [one.target.rpartition("page=")[2] for one in servers.faults.seen if "/v1/companies" in one.target]


@pytest.fixture
def servers(tmp_path: Path) -> Any:
    with running(tmp_path / "demo", WORLD) as started:
        yield started


def test_a_sync_killed_at_its_third_page_goes_on_there_and_says_what_happened(servers: Servers, tmp_path: Path) -> None:
    environment = dict(servers.environment())
    servers.faults.append(Fault("pax8", "/v1/companies?sort=name&size=200&page=2", hang=True))
    killed, _ = killed_sync(environment, tmp_path, 0, lambda run: run.done == 400 and "2" in pages_asked(servers))
    assert (killed.state, killed.done) == (RunState.RUNNING, 400)
    service = opened(environment, tmp_path, minutes=2)
    assert len(rows_of(service.store, t.ProviderAccount.id)) == 400
    servers.faults.seen.clear()
    run = execute_run(service, request_sync(service, ADMIN, PAX8))
    told = look(service, killed.id)
    assert told.state is RunState.INTERRUPTED
    assert told.error == (
        "The process that did this ended early. What it had written was kept; the next run goes on there."
    )
    assert pages_asked(servers) == ["2", "3"]
    assert (run.state, run.result["new"], run.result["gone"], run.done) == (RunState.DONE, COUNT, 0, COUNT)
    service.store.close()


def test_a_sync_killed_again_and_again_at_any_moment_ends_as_one_that_was_not(servers: Servers, tmp_path: Path) -> None:
    environment = dict(servers.environment())
    undisturbed = opened(environment, tmp_path / "undisturbed")
    execute_run(undisturbed, request_sync(undisturbed, ADMIN, PAX8))
    dice = random.Random(7)
    minutes = 0
    for _ in range(2):
        begun: list[float] = []
        wait = dice.uniform(0.02, 0.25)

        def is_time(run: RunView, begun: list[float] = begun, wait: float = wait) -> bool:
            begun += [time.monotonic()] if run.state is RunState.RUNNING and not begun else []
            return bool(begun) and time.monotonic() - begun[0] > wait

        _, is_over = killed_sync(environment, tmp_path / "killed", minutes, is_time)
        minutes += 2
        if is_over:
            break
    service = opened(environment, tmp_path / "killed", minutes)
    with service.store.read() as connection:
        assert connection.scalar(sa.text("PRAGMA integrity_check")) == "ok"
    run = execute_run(service, request_sync(service, ADMIN, PAX8))
    assert (run.state, run.result["gone"]) == (RunState.DONE, 0)
    assert contents(service) == contents(undisturbed)
    for one in (service, undisturbed):
        one.store.close()
